import { Alarm } from '../base/alarm.js';
import { fullness } from '../base/fullness.js';
import { takeKernelBytes } from '../base/kernel.js';
import { carryBytesMax, departureSubscriptionsMax, memoryScanMs, readBufferBytes } from '../base/limits.js';
import { LossWatch } from '../base/lossWatch.js';
import type { Turn } from '../base/turn.js';
import { cost, readShift, type Work } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import type { ConnectOptions } from '../protocol/connectOptions.js';
import { errors, type ProtocolError } from '../protocol/errors.js';
import { asyncInfoProtocol, type ClientInfo, connectInfo, type ServerInfo, sameInfo } from '../protocol/info.js';
import type { Router } from '../router/router.js';
import { hasCaughtUp } from '../router/settling.js';
import type { Topic } from '../router/topic.js';
import type { HeldMessages } from '../subscriber/heldMessages.js';
import { Audiences } from './audience.js';
import { Authenticator, sameCredentials } from './authenticator.js';
import { Backpressure, type Holder } from './backpressure.js';
import type { GatewayCensus } from './census.js';
import { ClientCommands, type CommandsHost } from './commands.js';
import { Connection } from './connection.js';
import { Delivery } from './delivery.js';
import { Departures } from './departures.js';
import type { Door, DoorName, ListenerName } from './doors/door.js';
import { makeDoors } from './doors/doors.js';
import type { WebSocketLink } from './doors/webSocketLink.js';
import { type WebSocketHost, WebSockets } from './doors/webSockets.js';
import { Egress, type EgressEvents } from './egress.js';
import { GatewayMemory, type MemoryWorks } from './gatewayMemory.js';
import { Health } from './health.js';
import { Ingress } from './ingress.js';
import { Inlet } from './inlet.js';
import { type ComparePassword, PasswordChecks } from './logins/passwordChecks.js';
import type { MemoryBudget } from './memoryBudget.js';
import { type MemoryCause, MemoryPressure } from './memoryPressure.js';
import type { Credentials, GatewayLimits, WebSocketSettings } from './options.js';
import { Asking } from './policies/asking.js';
import { Policing } from './policies/policing.js';
import { lingerOf } from './policies/wish.js';
import { Readmission } from './readmission.js';
import { Shares } from './shares.js';
import type { Subscription } from './subscription.js';

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
}

const shutdownReason = 'server shutdown';

/** What is told of a connection that has ended, or of one that never was more than a handshake. */
export type EndedConnection = Pick<Connection, 'id' | 'remoteAddress' | 'closeReason'>;

/** What the gateway reports: for the log, and for whoever counts connections. */
export interface GatewayEvents {
  onClosed(connection: EndedConnection): void;
  onSlowConsumer(connection: Connection, pendingBytes: number): void;
  /** Publishers have waited for a connection's subscriptions as long as they may. */
  onBlockSpent(connection: Connection): void;
  /** All together hold more than they may, and this connection held most. */
  onMemoryFull(connection: Connection, cause: MemoryCause): void;
  /** A subscription has lost more than a few of its messages in a window of time. */
  onLosing(subscription: Subscription, dropped: number, delivered: number): void;
  /** A password could not be compared with its hash. */
  onUnverified(error: unknown): void;
}

const inputBytes = carryBytesMax + readBufferBytes;

/** Owns client connections: reads, parks, writes and ends them. One a thread. */
export class Gateway implements CommandsHost, WebSocketHost {
  readonly self: number;
  readonly limits: GatewayLimits;
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly egress: Egress;
  readonly delivery: Delivery;
  readonly commands: ClientCommands;
  readonly policing: Policing;
  readonly asking: Asking;
  authenticator: Authenticator;
  #credentials: Credentials;
  readonly #readmission = new Readmission(this);
  readonly connections = new Map<number, Connection>();
  readonly #passwords: PasswordChecks;
  readonly #audiences = new Audiences();
  readonly #backpressure: Backpressure;
  readonly #ingress: Ingress;
  readonly links = { heldBytes: 0 };
  /** Null where there is no such port: what they need takes long to load. */
  readonly #webSockets: WebSockets | null;
  readonly #doors: Readonly<Record<DoorName, Door>>;
  readonly #health: Health;
  readonly #events: GatewayEvents;
  readonly #memory: GatewayMemory;
  readonly #pressure: MemoryPressure;
  readonly #turn: Turn;
  readonly work: Work;
  readonly shares: Shares;
  readonly #departures: Departures;
  /** Wakes the thread when what is held back for some connection is due. */
  readonly #alarm: Alarm;
  #info: ServerInfo;
  /** Where every socket of the gateway is read into, with room before it for what an earlier read left. */
  readonly #input = takeKernelBytes(inputBytes) ?? new Uint8Array(inputBytes);
  readonly readBuffer = this.#input.subarray(carryBytesMax);
  /** Whether parked connections have reason to try again. */
  #relief = false;
  /** Whether nothing more is read: who was parked would be read again, and a new client for the first time. */
  #readingEnded = false;

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
    this.#info = options.info;
    this.#credentials = options.credentials;
    this.#passwords = new PasswordChecks(options.comparePassword, options.passwordMemory);
    this.authenticator = new Authenticator(options.credentials, this.#passwords);
    this.router = router;
    this.exchange = exchange;
    this.#turn = turn;
    this.work = router.work;
    this.shares = new Shares(this.work, turn);
    this.#departures = new Departures(
      this.work,
      (ended) => this.#takeAway(ended),
      () => exchange.controlClear,
    );
    this.#ingress = new Ingress(this.shares, (connection) =>
      this.finishInput(connection, 'client closed the connection'),
    );
    this.#alarm = new Alarm(() => turn.request());
    this.#events = events;
    const egressEvents: EgressEvents = {
      onOverflow: (connection) => this.#slowConsumer(connection),
      onFullness: (connection) => {
        this.#backpressure.note(connection, this.egress.nowMs);
        this.#turn.request();
      },
      onBehind: (connection) => this.policing.onBehind(connection),
      onTaken: (connection) => {
        if (connection.behind) this.policing.onTaken(connection);
        this.#turn.request();
      },
      onDrained: (connection) => connection.socket.end(),
    };
    this.egress = new Egress(options.limits, egressEvents, this.work);
    const losses = new LossWatch<Subscription>(
      options.limits.lossWindowMs,
      () => this.delivery.settle(),
      (subscription, dropped, delivered) => events.onLosing(subscription, dropped, delivered),
    );
    this.policing = new Policing(this.egress, losses, {
      onLostTooMuch: (connection) => this.#slowConsumer(connection),
      onTooMuch: (topic, subscription) => {
        this.#backpressure.block(topic, subscription);
      },
      onEnoughTaken: (subscription) => this.#backpressure.unblock(subscription),
      onLastMessage: (subscription) => this.commands.end(subscription),
      onWork: () => this.#turn.request(),
    });
    this.#backpressure = new Backpressure({
      onFullness: (topic, state) => {
        this.router.holds.setFull(topic.text, this.self, state);
        this.exchange.announceFull(topic.text, state);
        if (state <= fullness.dropping) this.relieve();
      },
      onLagging: (subject, lags) => {
        this.router.holds.setLagging(subject, this.self, lags);
        this.exchange.announceLagging(subject, lags);
        if (!lags) this.relieve();
      },
      onSpent: ({ connection }) => this.#stopBlocking(connection),
    });
    this.router.holds.onSpent = (topic) => {
      this.exchange.announceHoldSpent(topic.text);
      this.spend(topic.text);
    };
    this.commands = new ClientCommands(this);
    this.delivery = new Delivery(
      router,
      exchange,
      this.egress,
      this.#audiences,
      this.#backpressure,
      this.policing,
      (subscription) => this.commands.end(subscription),
      ({ connection }) => {
        connection.imagesOwed--;
        this.relieve();
      },
      held,
      () => this.relieve(),
    );
    this.asking = new Asking(this.limits, this.delivery, this.policing, router, this.commands);
    this.#doors = makeDoors(this.limits, this.commands, this.work);
    this.#setHolds();
    this.#webSockets = options.listeners.includes('websocket') ? new WebSockets(options.webSocket, this) : null;
    this.#health = new Health(this.limits, this.egress, {
      onStale: (connection) => this.fail(connection, errors.staleConnection),
      onAuthTimeout: (connection) => this.fail(connection, errors.authTimeout),
      onWriteDeadline: (connection) => this.#slowConsumer(connection),
      onLingered: (connection) => this.close(connection, connection.closeReason),
    });
    this.#memory = new GatewayMemory({
      connections: this.connections,
      egress: this.egress,
      ingress: this.#ingress,
      policing: this.policing,
      prefetching: this.delivery.prefetching,
      links: this.links,
      works: options.works,
      endFor: (connection, cause) => this.#endForMemory(connection, cause),
      close: (connection) => this.close(connection, connection.closeReason),
      onRelieved: () => this.relieve(),
    });
    this.#pressure = new MemoryPressure(budget, this.#memory);
  }

  /** Takes over a connection that the acceptor has handed on. */
  adopt(descriptor: number, id: number, remoteAddress: string, listener: ListenerName): void {
    const inlet = new Inlet(descriptor, this.readBuffer);
    if (listener === 'websocket') {
      (this.#webSockets as WebSockets).begin(inlet, id, remoteAddress);
      return;
    }
    const connection = this.connect(id, inlet, remoteAddress, listener);
    inlet.owner = {
      onRead: (lengthBytes) => this.onInput(connection, lengthBytes),
      onEnd: () => this.onInputEnd(connection),
      onClosed: (reason) => this.close(connection, reason),
    };
    // a client of JSON lines is never asked whether it is still there
    if (connection.dialect.ping === null) inlet.socket.setKeepAlive(true, this.limits.pingIntervalMs);
    this.begin(connection);
  }

  connect(id: number, inlet: Inlet, remoteAddress: string, door: DoorName): Connection {
    return new Connection(id, inlet.socket, inlet.descriptor, remoteAddress, this.#doors[door]);
  }

  begin(connection: Connection): void {
    this.connections.set(connection.id, connection);
    connection.authenticated = !this.authenticator.required;
    connection.linger = lingerOf(this.limits.lingerUs);
    this.#health.begin(connection);
    this.#greet(connection);
    this.#turn.request();
  }

  /** Ends a connection at once. */
  close(connection: Connection, reason: string): void {
    if (connection.state === 'closed') return;
    for (const subscription of [...connection.waiting]) this.policing.forget(subscription);
    this.#endSubscriptions(connection);
    connection.state = 'closed';
    if (connection.closeReason === '') connection.closeReason = reason;
    this.egress.discard(connection);
    this.#backpressure.note(connection, this.egress.nowMs);
    this.router.holds.forget(connection.waiter);
    this.connections.delete(connection.id);
    connection.socket.destroy();
    connection.link?.onConnectionClosed();
    this.#ingress.discard(connection);
    connection.topic = null;
    this.#events.onClosed(connection);
    this.#turn.request();
  }

  /** A client will say no more. */
  onInputEnd(connection: Connection): void {
    if (connection.state !== 'open') return;
    this.exchange.drainControl();
    this.#ingress.onEnd(connection);
    this.#turn.request();
  }

  /** Ends a connection that will say no more, once it is sent what was in order before; false while it is not known what that is. */
  finishInput(connection: Connection, reason: string): boolean {
    if (!this.commands.settled(connection) || !hasCaughtUp(connection, this.exchange)) return false;
    this.endAfterFlush(connection, reason);
    return true;
  }

  /** Ends a connection once what was written to it is out, or after a while; its input is thrown away from now on. */
  endAfterFlush(connection: Connection, reason: string): void {
    if (connection.state !== 'open') return;
    this.#endSubscriptions(connection);
    connection.link?.close(closeCode(reason), reason);
    connection.state = 'closing';
    connection.closeReason = reason;
    this.#ingress.discard(connection);
    this.#backpressure.note(connection, this.egress.nowMs);
    this.#health.linger(connection);
    connection.socket.resume();
    this.egress.hurry(connection);
    if (!connection.output.dirty && connection.pendingBytes === 0) connection.socket.end();
    this.#turn.request();
  }

  /** A handshake ended without a connection. */
  handshakeEnded(link: WebSocketLink, reason: string): void {
    this.#webSockets?.forget(link);
    this.#events.onClosed({ id: link.id, remoteAddress: link.remoteAddress, closeReason: reason });
  }

  writeFrame(connection: Connection, bytes: Uint8Array): void {
    this.egress.writeFrame(connection, bytes);
    this.#turn.request();
  }

  pong(connection: Connection): void {
    this.commands.pong(connection);
  }

  fail(connection: Connection, error: ProtocolError): void {
    this.commands.fail(connection, error);
    this.#turn.request();
  }

  reportUnverified(error: unknown): void {
    this.#events.onUnverified(error);
  }

  resume(connection: Connection): void {
    this.#ingress.resume(connection);
    this.#turn.request();
  }

  /** Whoever is parked may try again. */
  relieve(): void {
    this.#relief = true;
    this.#turn.request();
  }

  /** The part of a turn in which parked connections go on, after the exchange has taken in what came. */
  doWork(relieved: boolean): void {
    const relief = relieved || this.#relief;
    this.#relief = false;
    if (relief) this.#ingress.resumeParked();
    this.shares.serve((connection) => this.#goOn(connection));
  }

  /** Has a connection go on that has had its share of an earlier turn; returns whether that was work, and not only a socket to be read. */
  #goOn(connection: Connection): boolean {
    if (this.#ingress.goOn(connection) || connection.parked || connection.state !== 'open') return true;
    if (!this.#readingEnded) connection.resumeReading();
    return false;
  }

  /** Tells the shards what members that acknowledge have room for. */
  tellRoom(): void {
    this.delivery.prefetching.doWork();
  }

  /** Ends the turn: what was caused is made visible, first to other threads, then to clients. */
  endTurn(): void {
    if (this.#departures.doWork()) this.#turn.request();
    this.work.nextTurn();
    this.#backpressure.review(this.egress.nowMs);
    this.policing.doWork();
    this.tellRoom();
    this.flush();
    this.#pressure.doWork(this.egress.nowMs);
    const { images } = this.delivery;
    if (images.waiting && !this.memoryShort && images.goOn(this.egress.nowMs)) {
      this.exchange.publish();
      this.#turn.request();
    }
    if (this.egress.waiting) this.#turn.request();
    this.#lookAtHolds();
  }

  /** Publishers of a topic, on whichever thread, have waited as long as they may for those that block it. */
  spend(subject: string): void {
    this.#backpressure.spend(subject);
  }

  get memoryShort(): boolean {
    return this.#pressure.short;
  }

  /** A topic's publishers wait for somebody outside of this gateway, until `release`. */
  hold(topic: Topic, holder: Holder): boolean {
    return this.#backpressure.block(topic, holder);
  }

  /** Changes something about who holds topics up. */
  changeHold(holder: Holder, change: () => void): void {
    this.#backpressure.change(holder, change);
  }

  release(holder: Holder): void {
    this.#backpressure.unblock(holder);
  }

  flush(): void {
    this.exchange.publish();
    this.egress.flush();
  }

  /** Looks after time: pings, deadlines, memory, subscribers that were waited for. Every `healthTickMs`. */
  tick(nowMs: number): void {
    this.egress.nowMs = nowMs;
    this.#health.tick(this.connections, nowMs);
    this.policing.losses.review(nowMs);
    this.#pressure.tick(nowMs);
    this.router.holds.sweep(nowMs);
    this.#turn.request();
  }

  /** One step of forgetting what nobody uses. */
  sweep(): void {
    if (this.router.topics.sweepStep((topic) => this.delivery.sweep(topic))) this.#audiences.sweep();
  }

  /** Applies what a reload may change. */
  reload(limits: GatewayLimits, credentials: Credentials, info: ServerInfo, webSocket: WebSocketSettings): void {
    if (this.#webSockets !== null) this.#webSockets.settings = webSocket;
    Object.assign(this.limits, limits);
    this.egress.setLimits(limits);
    this.policing.losses.windowMs = limits.lossWindowMs;
    this.#setHolds();
    this.#changeCredentials(credentials);
    if (!sameInfo(info, this.#info)) this.announceInfo(info);
  }

  /** Tells the server's new state to every client that can take it now; who has had no PONG yet learns it behind that. */
  announceInfo(info: ServerInfo): void {
    this.#info = info;
    for (const connection of this.connections.values())
      if (connection.state === 'open' && connection.firstPongSent) this.#inform(connection);
    this.#turn.request();
  }

  /** Tells a client that has had its first PONG what its CONNECT has led to. */
  greetConnected(connection: Connection): void {
    this.#inform(connection, connectInfo);
  }

  /** Stops reading: what has been read is still carried out. */
  stopReading(): void {
    this.#readingEnded = true;
    for (const connection of this.connections.values()) connection.socket.pause();
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
    let subscriptions = this.#departures.size;
    for (const connection of this.connections.values()) subscriptions += connection.subscriptions.size;
    return {
      connections: this.connections.size,
      handshakes: this.#handshakes,
      parked: this.#ingress.parkedCount,
      subscriptions,
      audiences: this.#audiences.size,
      heldTopics: this.#backpressure.heldTopics,
      losing: this.policing.losses.size,
      images: this.delivery.images.size,
      pendingBytes: this.egress.pendingBytes,
      heldBytes: this.#memory.clientBytes,
      backlogBytes: this.policing.heldBytes,
      workBytes: this.delivery.prefetching.heldBytes,
    };
  }

  /** Whether all input that was read has been carried out. */
  get inputDone(): boolean {
    return this.#ingress.parkedCount === 0;
  }

  /** Ends all connections once what is written to them is out. */
  endAll(): void {
    this.#webSockets?.abortAll();
    this.delivery.prefetching.stop();
    for (const connection of this.connections.values()) this.endAfterFlush(connection, shutdownReason);
  }

  /** Ends some of the connections, as `endAll`; what was in order before is still sent to them. */
  endSome(count: number, reason: string): void {
    this.exchange.drainDeliveries();
    let left = count;
    for (const connection of this.connections.values()) {
      if (left === 0) break;
      if (connection.state !== 'open') continue;
      this.endAfterFlush(connection, reason);
      left--;
    }
  }

  /** Takes the input of a connection that stands in the read buffer; false when it is not to be read for now. */
  onInput(connection: Connection, lengthBytes: number): boolean {
    if (connection.state !== 'open') return true;
    if (this.#readingEnded) {
      connection.input.cut = true;
      return false;
    }
    connection.clock.hear();
    this.#turn.request();
    const own = this.shares.begin(connection);
    this.work.units += lengthBytes >> readShift;
    this.exchange.drainControl();
    const reading = this.#ingress.onRead(connection, this.#input, carryBytesMax, carryBytesMax + lengthBytes);
    const spent = own && this.shares.end(connection);
    if (connection.parked) this.policing.onParked(connection);
    if (!reading || !spent || connection.state !== 'open') return reading;
    this.shares.defer(connection);
    return false;
  }

  #setHolds(): void {
    this.router.holds.blockMaxMs = this.limits.blockMaxMs;
    this.#backpressure.setStalls(!this.limits.noFastProducerStall);
    this.egress.skipsLaggards = this.limits.noFastProducerStall;
  }

  /** Publishers have waited as long as they may for a connection's subscriptions. */
  #stopBlocking(connection: Connection): void {
    if (connection.state !== 'open') return;
    this.policing.stopBlocking(connection);
    connection.lag.noteSpent();
    this.#tellBlockSpent(connection);
    this.#events.onBlockSpent(connection);
    this.#turn.request();
  }

  #tellBlockSpent(connection: Connection): void {
    this.egress.write(connection, connection.dialect.error(errors.blockSpent.text, null));
  }

  /** Whoever has waited long enough tries again, and the thread wakes when the next has. */
  #lookAtHolds(): void {
    const { nowMs } = this.egress;
    const { holds } = this.router;
    if (nowMs >= holds.dueMs) {
      holds.dueMs = Number.POSITIVE_INFINITY;
      this.relieve();
    }
    const pressureDueMs = this.memoryShort ? nowMs + memoryScanMs : Number.POSITIVE_INFINITY;
    this.#alarm.set(Math.min(this.egress.batchDueMs, this.#backpressure.dueMs, holds.dueMs, pressureDueMs), nowMs);
  }

  #changeCredentials(credentials: Credentials): void {
    if (sameCredentials(credentials, this.#credentials)) return;
    this.#credentials = credentials;
    this.authenticator = new Authenticator(credentials, this.#passwords);
    void this.#readmission.review();
  }

  #slowConsumer(connection: Connection): void {
    if (connection.state !== 'open') return;
    this.#events.onSlowConsumer(connection, connection.pendingBytes);
    this.#endShort(connection, errors.slowConsumer);
  }

  /** All together hold more than they may, and this one most. */
  #endForMemory(connection: Connection, cause: MemoryCause): void {
    this.#events.onMemoryFull(connection, cause);
    const says = connection.saidBytes * 2 > cause.heldBytes;
    this.#endShort(connection, says ? errors.memoryExceeded : errors.slowConsumer);
  }

  /** Ends a connection that has more than it may: what waits for it is dropped, and its last words follow what is on its way. */
  #endShort(connection: Connection, error: ProtocolError): void {
    for (const subscription of [...connection.waiting]) this.policing.forget(subscription);
    this.egress.cutShort(connection);
    if (connection.lag.spent) this.#tellBlockSpent(connection);
    this.egress.write(connection, connection.dialect.error(error.text, null));
    this.endAfterFlush(connection, error.text);
  }

  /** Its subscriptions take nothing any more from when its state has changed on, which is before anything else happens. */
  #endSubscriptions(connection: Connection): void {
    if (connection.subscriptions.size === 0) return;
    // what waits in backlogs comes before last words
    for (const subscription of [...connection.waiting]) this.policing.finish(subscription);
    // an end is input too: what it leaves goes to members of whom others have told before
    this.exchange.drainControl();
    if (connection.subscriptions.size > departureSubscriptionsMax) {
      this.delivery.looks.change(connection);
      this.#departures.add(connection);
      return;
    }
    const ended = [...connection.subscriptions.values()];
    connection.subscriptions.clear();
    this.#takeAway(ended);
  }

  #takeAway(ended: readonly Subscription[]): void {
    for (const subscription of ended) {
      this.delivery.images.cancel(subscription);
      this.policing.end(subscription);
      this.router.interest.removeLocal(subscription);
    }
    // given to others only now, when none of these is among them
    for (const subscription of ended) if (subscription.queue !== '') this.delivery.prefetching.ended(subscription);
    this.work.units += ended.length * cost.departure;
  }

  /** Sends an INFO that nobody asked for, to a client that has said that it takes these. */
  #inform(connection: Connection, more: Partial<ClientInfo> = {}): void {
    if (takesInfo(connection.options, this.#info)) this.#greet(connection, more);
  }

  #greet(connection: Connection, more: Partial<ClientInfo> = {}): void {
    const client = { client_id: connection.id, client_ip: connection.remoteAddress, ...more };
    const greeting = connection.dialect.greeting(this.#info, client);
    if (greeting !== null) this.egress.write(connection, greeting);
  }
}

/**
 * Whether a client takes INFO at any time: who says so, and in lame duck mode who does not say which protocol it speaks, but speaks of
 * headers, which are younger than that. It would be ended without a word.
 */
function takesInfo({ protocol, headers }: ConnectOptions, info: ServerInfo): boolean {
  return (protocol ?? 0) >= asyncInfoProtocol || (info.ldm === true && protocol === null && headers);
}

/** The WebSocket close code for the end of a connection: going away, or a policy that was violated (RFC 6455, section 7.4). */
function closeCode(reason: string): number {
  return reason === shutdownReason ? 1001 : 1008;
}
