import { systemAccount } from '../base/account.js';
import { assert } from '../base/assert.js';
import { byteText } from '../base/bytes.js';
import { LossWatch } from '../base/lossWatch.js';
import type { MessageView } from '../base/messageView.js';
import type { ConnectionsAsked, Page, SubscriptionsAsked } from '../base/reports.js';
import type { Role } from '../base/role.js';
import type { HeldMemory } from '../base/statistics.js';
import { type TallyRow, tally } from '../base/tally.js';
import type { Turn } from '../base/turn.js';
import type { Work } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import type { SyncRole } from '../exchange/roles.js';
import type { ServerInfo } from '../protocol/info.js';
import { subjectMatches } from '../protocol/subject.js';
import { DeadLetters } from '../router/deadLetters.js';
import { LetterLines } from '../router/letterLines.js';
import type { Router } from '../router/router.js';
import type { SpanOutbox } from '../router/spanOutbox.js';
import { TokenRoles } from '../router/tokenRoles.js';
import type { Topic } from '../router/topic.js';
import { Traces } from '../router/traces.js';
import type { HeldMessage, HeldMessages } from '../subscriber/heldMessages.js';
import { ApiCallers } from './apiCallers.js';
import { Audiences } from './audience.js';
import { Backpressure, type Holder } from './backpressure.js';
import { BrokerAnswers } from './brokerAnswers.js';
import type { GatewayCensus } from './census.js';
import { ClientCommands } from './commands/clientCommands.js';
import type { CommandsHost } from './commands/host.js';
import { Connection } from './connection.js';
import { ClosedConnections, pagesOf, reportConnection, reportEnd, reportSubscription } from './connectionReports.js';
import { Delivery } from './delivery.js';
import type { Door, DoorName, ListenerName } from './doors/door.js';
import { makeDoors } from './doors/doors.js';
import type { WebSocketLink } from './doors/webSocketLink.js';
import { type WebSocketHost, WebSockets } from './doors/webSockets.js';
import { Durables } from './durables/durables.js';
import { Egress } from './egress.js';
import { Flushing } from './flushing.js';
import { GatewayMemory, type MemoryWorks } from './gatewayMemory.js';
import { Greeter } from './greeter.js';
import { Health } from './health.js';
import { HoldAnnouncer } from './holdAnnouncer.js';
import { Ingress } from './ingress.js';
import { Inlet } from './inlet.js';
import { Latency } from './latency.js';
import { Lifecycle, type LifecycleEvents, shutdownReason } from './lifecycle.js';
import { type LoginEvents, Logins, type RightsOf } from './logins/logins.js';
import { type ComparePassword, PasswordChecks } from './logins/passwordChecks.js';
import type { MemoryBudget } from './memoryBudget.js';
import { MemoryPressure } from './memoryPressure.js';
import { Meter } from './meter.js';
import type { Credentials, GatewayLimits, WebSocketSettings } from './options.js';
import { Parking } from './parking.js';
import type { GatewayLetters } from './policies/backlogLetters.js';
import { lingerOf } from './policies/deliveryOptions.js';
import { OptionsRequests } from './policies/optionsRequests.js';
import { Policing } from './policies/policing.js';
import { ProtocolLog } from './protocolLog.js';
import { Publishing } from './publishing.js';
import { Reading } from './reading.js';
import { Shares } from './shares.js';
import { SlowReaders } from './slowReaders.js';
import { StoreAnswers } from './storeAnswers.js';
import { SubscriberCounts } from './subscriberCounts.js';
import type { Subscription } from './subscription.js';
import { Subscriptions } from './subscriptions.js';
import { TopicSamples } from './topicSamples.js';
import { TracedDelivery } from './tracedDelivery.js';
import { UserInfo } from './userInfo.js';

export interface GatewayOptions {
  /** What waits for groups on this thread's shard: it takes memory, too. */
  works: MemoryWorks;
  self: number;
  /** Ports that connections may come from. */
  listeners: readonly ListenerName[];
  limits: GatewayLimits;
  credentials: Credentials;
  info: ServerInfo;
  webSocket: WebSocketSettings;
  comparePassword: ComparePassword;
  /** Made by `makePasswordMemory`, one for all gateways. */
  passwordMemory: SharedArrayBuffer;
  rightsOf: RightsOf;
  /** Where it counts. */
  tally: TallyRow;
  /** How many connections that have ended it remembers; 0 where nobody asks. */
  closedMax: number;
  /** Where spans of messages go; null where they have none. */
  spans: SpanOutbox | null;
}

/** What is told of a connection that has ended, or of one that never was more than a handshake. */
export type EndedConnection = Pick<Connection, 'id' | 'remoteAddress' | 'closeReason'> &
  Partial<Pick<Connection, 'traffic' | 'options' | 'login'>>;

/** What the gateway reports: for the log, and for whoever counts connections. */
export interface GatewayEvents extends LifecycleEvents, LoginEvents {
  onClosed(connection: EndedConnection): void;
  /** A subscription has lost more than a few of its messages in a window of time. */
  onLosing(subscription: Subscription, dropped: number, delivered: number): void;
  /** Dead letters were not published: some were denied, the last for this subject, and for some there was no room. */
  onLettersLost(denied: number, lost: number, deniedSubject: string): void;
}

/** Wires the parts that own client connections, and gives each its place in a turn. One a thread. */
export class Gateway implements Role, CommandsHost, WebSocketHost {
  readonly self: number;
  readonly limits: GatewayLimits;
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly turn: Turn;
  readonly work: Work;
  readonly events: GatewayEvents;
  readonly connections = new Map<number, Connection>();
  readonly links = { heldBytes: 0 };
  readonly works: MemoryWorks;
  readonly shares: Shares;
  readonly lifecycle: Lifecycle;
  readonly ingress: Ingress;
  readonly reading: Reading;
  readonly egress: Egress;
  readonly greeter: Greeter;
  readonly backpressure: Backpressure;
  readonly policing: Policing;
  readonly deadLetters: DeadLetters;
  /** What policies have dropped and is to be published. */
  readonly letters: GatewayLetters;
  readonly stores: StoreAnswers;
  /** Messages of this thread's clients that are traced. */
  readonly tracing: Traces<Connection>;
  /** Who hears what becomes of messages with tokens. */
  readonly tokens: SyncRole;
  readonly commands: ClientCommands;
  readonly answers: BrokerAnswers;
  readonly delivery: Delivery;
  readonly subscriptions: Subscriptions;
  readonly durables: Durables;
  readonly asking: OptionsRequests;
  readonly userInfo: UserInfo;
  readonly apiCallers: ApiCallers;
  readonly logins: Logins;
  readonly health: Health;
  readonly protocolLog: ProtocolLog;
  readonly meter: Meter;
  readonly latency: Latency;
  readonly samples: TopicSamples;
  readonly tally: TallyRow;
  readonly subscriberCounts = new SubscriberCounts(() => this.delivery.settle());
  /** Null where nobody asks. */
  readonly #closed: ClosedConnections | null;
  readonly #audiences = new Audiences();
  /** Null where there is no such port: what they need takes long to load. */
  readonly #webSockets: WebSockets | null;
  readonly #doors: Readonly<Record<DoorName, Door>>;
  readonly #memory: GatewayMemory;
  readonly pressure: MemoryPressure;
  /** What ends a turn: other threads see what it caused, then clients. */
  readonly publishing: Publishing;
  readonly flushing: Flushing;
  /** Dead letters of which it has been told that they were denied, or lost, and when. */
  #lettersTold: readonly [denied: number, lost: number] = [0, 0];
  #lettersToldMs = Number.NEGATIVE_INFINITY;
  /** Whether parked connections have reason to try again. */
  #relief = false;

  constructor(
    options: GatewayOptions,
    router: Router,
    exchange: Exchange<Topic>,
    budget: MemoryBudget,
    turn: Turn,
    events: GatewayEvents,
    held: HeldMessages<Topic>,
  ) {
    this.self = options.self;
    this.limits = { ...options.limits };
    this.router = router;
    this.apiCallers = new ApiCallers(router);
    this.exchange = exchange;
    this.protocolLog = new ProtocolLog(this.limits);
    this.turn = turn;
    this.work = router.work;
    this.events = events;
    this.works = options.works;
    this.tally = options.tally;
    this.latency = new Latency(options.tally, this.work);
    this.samples = new TopicSamples(options.self, router.counts);
    this.meter = new Meter(options.tally, this.latency, this.samples);
    this.#closed = options.closedMax > 0 ? new ClosedConnections(options.closedMax) : null;
    this.shares = new Shares(this.work, turn);
    this.lifecycle = new Lifecycle(this);
    this.ingress = new Ingress(this.shares, this.lifecycle, this.exchange, new Parking(this));
    this.reading = new Reading(this);
    const slowReaders = new SlowReaders(this);
    this.egress = new Egress(options.limits, slowReaders, this.work, options.tally);
    this.greeter = new Greeter(options.info, this.egress, turn);
    const losses = new LossWatch<Subscription>(
      options.limits.lossWindowMs,
      () => this.delivery.settle(),
      (subscription, dropped, delivered) => events.onLosing(subscription, dropped, delivered),
    );
    this.deadLetters = new DeadLetters(router, {
      ready: (topic) => router.ready(topic),
      publish: (topic, message) => !this.memoryShort && exchange.shards[topic.owner].publish(topic, message) > 0,
    });
    this.letters = new LetterLines(this.deadLetters, {
      show: (message: HeldMessage<Topic>, view) => held.show(message, view),
      bytesOf: ({ heldBytes }) => heldBytes,
      subjectOf: ({ topic }) => topic.text,
      release: (message) => held.release(message),
    });
    this.policing = new Policing(this.egress, losses, slowReaders, options.tally, { held, lines: this.letters });
    this.backpressure = new Backpressure(new HoldAnnouncer(this));
    this.router.holds.onSpent = (topic) => {
      this.exchange.announcer.announceHoldSpent(topic.text);
      this.spend(topic.text);
    };
    this.stores = new StoreAnswers(options.self, this.egress, () => this.relieve());
    const traceOffice = {
      ready: (topic: Topic) => router.ready(topic),
      publish: (topic: Topic, message: MessageView) =>
        !this.memoryShort && exchange.shards[topic.owner].publish(topic, message) > 0,
      onRoom: () => this.relieve(),
      requestTurn: () => turn.request(),
      server: () => this.greeter.info,
    };
    this.tracing = new Traces(options.self, router, traceOffice, options.spans);
    this.tokens = new TokenRoles(this.stores, this.tracing);
    this.commands = new ClientCommands(this);
    this.answers = new BrokerAnswers(router, this.egress);
    this.delivery = new Delivery(
      router,
      exchange,
      this.egress,
      this.#audiences,
      this.backpressure,
      this.policing,
      (subscription) => this.subscriptions.end(subscription),
      ({ connection }) => {
        connection.imagesOwed--;
        this.relieve();
      },
      held,
      this.deadLetters,
      new TracedDelivery(exchange, this.work, this.tracing),
      () => this.relieve(),
    );
    this.subscriptions = new Subscriptions(this);
    this.durables = new Durables(this);
    this.asking = new OptionsRequests(
      this.limits,
      this.delivery.images,
      this.answers,
      this.policing,
      router,
      this.commands.verdicts,
      this.subscriptions,
    );
    this.userInfo = new UserInfo(this.greeter, this.answers, this.commands.verdicts, this.work);
    const passwords = new PasswordChecks(options.comparePassword, options.passwordMemory);
    this.logins = new Logins(options.credentials, passwords, options.rightsOf, this);
    this.#doors = makeDoors(this.limits, this.commands, this.work);
    this.#webSockets = options.listeners.includes('websocket') ? new WebSockets(options.webSocket, this) : null;
    this.health = new Health(this.limits, this.egress, this.lifecycle);
    this.#memory = new GatewayMemory(this);
    this.pressure = new MemoryPressure(budget, this.#memory);
    this.publishing = new Publishing(this);
    this.flushing = new Flushing(this);
    this.#setHolds();
  }

  /** Takes over a connection that the acceptor has handed on. */
  adopt(descriptor: number, id: number, remoteAddress: string, listener: ListenerName): void {
    const inlet = new Inlet(descriptor, this.reading.rooms);
    if (listener === 'websocket') {
      assert(this.#webSockets !== null, 'only a port that there is has connections');
      this.#webSockets.begin(inlet, id, remoteAddress);
      return;
    }
    const connection = this.connect(id, inlet, remoteAddress, listener);
    inlet.owner = {
      onRead: (lengthBytes) => this.reading.onInput(connection, lengthBytes),
      onEnd: () => this.reading.onInputEnd(connection),
      onClosed: (reason) => this.lifecycle.close(connection, reason),
    };
    // a client of JSON lines is never asked whether it is still there
    if (connection.dialect.ping === null) inlet.socket.setKeepAlive(true, this.limits.pingIntervalMs);
    this.begin(connection);
  }

  connect(id: number, inlet: Inlet, remoteAddress: string, door: DoorName): Connection {
    const connection = new Connection(id, inlet.socket, inlet.descriptor, remoteAddress, this.#doors[door]);
    // a socket that has ended does not tell it any more
    connection.remotePort = inlet.socket.remotePort ?? 0;
    return connection;
  }

  begin(connection: Connection): void {
    this.connections.set(connection.id, connection);
    this.logins.begin(connection);
    connection.linger = lingerOf(this.limits.lingerUs);
    this.health.begin(connection);
    this.protocolLog.begin(connection);
    this.greeter.greet(connection);
    this.turn.request();
  }

  /** A handshake ended without a connection. */
  handshakeEnded(link: WebSocketLink, reason: string): void {
    this.#webSockets?.forget(link);
    this.events.onClosed({ id: link.id, remoteAddress: link.remoteAddress, closeReason: reason });
  }

  writeFrame(connection: Connection, bytes: Uint8Array): void {
    this.egress.writeFrame(connection, bytes);
    this.turn.request();
  }

  /** Whoever is parked may try again. */
  relieve(): void {
    this.#relief = true;
    this.turn.request();
  }

  /** The part of a turn in which parked connections go on, after the exchange has taken in what came. */
  doWork(): boolean {
    const relief = this.exchange.takeRelief() || this.#relief;
    this.#relief = false;
    // whoever is left has the room that there is in the next turn
    if (relief && !this.ingress.resumeParked()) this.relieve();
    this.reading.goOn();
    // shards are told what members that acknowledge have room for
    this.delivery.prefetching.doWork();
    this.durables.doWork();
    if (this.tracing.size > 0) this.tracing.doWork();
    return false;
  }

  /** Publishers of a topic, on whichever thread, have waited as long as they may for those that block it. */
  spend(subject: string): void {
    this.backpressure.spend(subject);
  }

  get waiting(): number {
    return this.ingress.parkedCount;
  }

  get memoryShort(): boolean {
    return this.pressure.short;
  }

  /** A topic's publishers wait for somebody outside of this gateway, until `release`. */
  hold(topic: Topic, holder: Holder): boolean {
    return this.backpressure.block(topic, holder);
  }

  /** Changes something about who holds topics up. */
  changeHold(holder: Holder, change: () => void): void {
    this.backpressure.change(holder, change);
  }

  release(holder: Holder): void {
    this.backpressure.unblock(holder);
  }

  /** Sends out what has collected, in the middle of a long read. */
  flush(): void {
    this.exchange.publish();
    this.egress.flush();
    if (this.latency.any) this.noteWritten(performance.now());
  }

  /** All that was read and carried out is written, or in lanes to others. */
  noteWritten(nowMs: number): void {
    this.latency.written(nowMs);
    this.samples.written(nowMs);
  }

  /** Looks after time: pings, deadlines, memory, subscribers that were waited for. Every `healthTickMs`. */
  tick(nowMs: number): void {
    this.egress.nowMs = nowMs;
    this.health.tick(this.connections, nowMs);
    this.policing.losses.review(nowMs);
    this.pressure.tick(nowMs);
    this.router.holds.sweep(nowMs);
    this.tracing.tick(nowMs);
    this.samples.tick(nowMs);
    this.#reviewLetters(nowMs);
    this.turn.request();
  }

  /** Counts dead letters where others see it, and tells of those that were not published, once in a window. */
  #reviewLetters(nowMs: number): void {
    const { posted, denied, deniedSubject } = this.deadLetters;
    const { lost } = this.letters;
    const { tally: row } = this;
    row[tally.deadLetters] = posted;
    row[tally.lettersDenied] = denied;
    row[tally.lettersLost] = lost;
    if (nowMs < this.#lettersToldMs + this.limits.lossWindowMs) return;
    const [deniedBefore, lostBefore] = this.#lettersTold;
    if (denied === deniedBefore && lost === lostBefore) return;
    this.#lettersToldMs = nowMs;
    this.#lettersTold = [denied, lost];
    this.events.onLettersLost(denied - deniedBefore, lost - lostBefore, deniedSubject);
  }

  /** One step of forgetting what nobody uses. */
  sweep(): void {
    this.exchange.fanOut.sweep();
    this.delivery.beforeSweep();
    const { topics, counts } = this.router;
    const isRound = topics.sweepStep((topic) => {
      this.delivery.sweep(topic);
      counts.visit(topic);
    });
    if (!isRound) return;
    this.#audiences.sweep();
    counts.endSweep();
    this.subscriberCounts.fold();
  }

  /** Applies what a reload may change. */
  reload(limits: GatewayLimits, credentials: Credentials, info: ServerInfo, webSocket: WebSocketSettings): void {
    if (this.#webSockets !== null) this.#webSockets.settings = webSocket;
    Object.assign(this.limits, limits);
    this.protocolLog.reload(this.limits, this.connections.values());
    this.egress.setLimits(limits);
    this.policing.losses.windowMs = limits.lossWindowMs;
    this.#setHolds();
    this.logins.setCredentials(credentials);
    this.announceInfo(info);
  }

  /** Tells the server's new state to its clients. */
  announceInfo(info: ServerInfo): void {
    void this.greeter.announce(info, this.connections.values());
    this.turn.request();
  }

  /** Stops reading: what has been read is still carried out. */
  stopReading(): void {
    this.reading.stop();
    this.relieve();
  }

  /** Whether no client is left. */
  get empty(): boolean {
    return this.connections.size === 0 && this.#handshakes === 0;
  }

  get #handshakes(): number {
    return this.#webSockets === null ? 0 : this.#webSockets.handshakes;
  }

  /** Counts what there is; for whoever watches it from outside, not for every turn. */
  census(): GatewayCensus {
    let subscriptions = this.subscriptions.leaving;
    for (const connection of this.connections.values()) subscriptions += connection.subscriptions.size;
    return {
      connections: this.connections.size,
      handshakes: this.#handshakes,
      parked: this.ingress.parkedCount,
      subscriptions,
      audiences: this.#audiences.size,
      heldTopics: this.backpressure.heldTopics,
      losing: this.policing.losses.size,
      images: this.delivery.images.size,
      pendingBytes: this.egress.pendingBytes,
      heldBytes: this.#memory.clientBytes,
      backlogBytes: this.policing.heldBytes,
      workBytes: this.delivery.prefetching.heldBytes,
    };
  }

  noteEnd(connection: Connection, reason: string): void {
    if (connection.state !== 'open') return;
    if (connection.account === systemAccount) this.tally[tally.systemEnded]++;
    if (this.#closed === null) return;
    this.delivery.settle();
    this.#closed.note(reportEnd(connection, reason));
  }

  /** Tells of connections in the order in which they came, those that have ended last. */
  *reportConnections(asked: ConnectionsAsked): Generator<Omit<Page<'connections'>, 'isLast'>, void> {
    const { state, id, user, account } = asked;
    const isAsked = (other: number, options: { readonly user: string | null }): boolean =>
      (id === 0 || other === id) && (user === '' || options.user === user);
    const isOther = (each: { readonly account: number }): boolean => account !== null && each.account !== account;
    if (state !== 'closed')
      yield* pagesOf(this.connections.values(), (each) =>
        isOther(each) ? 'ignored' : isAsked(each.id, each.options) ? reportConnection(each) : 'counted',
      );
    if (state !== 'open')
      yield* pagesOf(this.#closed ?? [], (each) =>
        isOther(each) ? 'ignored' : isAsked(each.id, each) ? each : 'counted',
      );
  }

  /** Counts topics and subscribers by name from now on; what was counted before is counted with them. */
  beginCounting(): void {
    this.router.counts.begin(this.router.topics);
    this.samples.begin();
    this.subscriberCounts.begin(subscriptionsOf(this.connections.values()));
  }

  /** Memory by what it is held for. */
  memoryHeld(): Pick<HeldMemory, 'output' | 'backlogs' | 'input' | 'work' | 'spare'> {
    const { egress, policing, delivery, ingress, links } = this;
    return {
      output: egress.heldBytes,
      backlogs: policing.heldBytes,
      input: ingress.heldBytes + links.heldBytes,
      work: delivery.prefetching.heldBytes,
      spare: egress.pool.freeBytes,
    };
  }

  /** Tells of subscriptions, in the order in which their connections came. */
  *reportSubscriptions(asked: SubscriptionsAsked): Generator<Omit<Page<'subscriptions'>, 'isLast'>, void> {
    this.delivery.settle();
    const { connections, account, subject, max } = asked;
    const found = connections?.map((id) => this.connections.get(id)) ?? this.connections.values();
    const literal = byteText(subject);
    let told = 0;
    yield* pagesOf(subscriptionsOf(found), (each) => {
      if (account !== null && each.account !== account) return 'ignored';
      if (subject !== '' && !subjectMatches(each.subject, literal)) return 'ignored';
      return ++told <= max ? reportSubscription(each) : 'counted';
    });
  }

  /** Whether all input that was read has been carried out, and answered. */
  get inputDone(): boolean {
    return this.ingress.parkedCount === 0 && this.stores.size === 0 && this.tracing.size === 0;
  }

  /** Ends all connections once what is written to them is out. */
  endAll(): void {
    this.#webSockets?.abortAll(shutdownReason);
    this.delivery.prefetching.stop();
    this.lifecycle.endAll();
  }

  #setHolds(): void {
    this.router.holds.blockMaxMs = this.limits.blockMaxMs;
    this.backpressure.setStalls(!this.limits.noFastProducerStall);
    this.egress.setSkipsLaggards(this.limits.noFastProducerStall);
  }
}

function* subscriptionsOf(connections: Iterable<Connection | undefined>): Generator<Subscription> {
  for (const connection of connections) if (connection !== undefined) yield* connection.subscriptions.values();
}
