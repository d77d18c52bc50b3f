import type { MessagePort } from 'node:worker_threads';
import { AdaptiveSpin } from '../base/adaptiveSpin.js';
import { byteText } from '../base/bytes.js';
import { HistogramWriter } from '../base/histogram.js';
import { closedConnectionsMax, healthTickMs, sendingPauseMs, topicSweepMs } from '../base/limits.js';
import { doRoles, type Role } from '../base/role.js';
import { histogramIn, type TallyRow, tally, tallyRow } from '../base/tally.js';
import { Turn } from '../base/turn.js';
import { Work } from '../base/work.js';
import { Exchange } from '../exchange/exchange.js';
import type { PeerMemory } from '../exchange/memory.js';
import type { HandoverStep } from '../exchange/roles.js';
import { Gateway } from '../gateway/gateway.js';
import type { Latency } from '../gateway/latency.js';
import type { RightsOf } from '../gateway/logins/logins.js';
import { MemoryBudget } from '../gateway/memoryBudget.js';
import type { MemoryCause } from '../gateway/memoryPressure.js';
import { prepareSending } from '../gateway/native.js';
import { listenToPipe } from '../gateway/wakePipe.js';
import { MemoryStorages } from '../log/memoryStorage.js';
import { Handover } from '../router/handover.js';
import { OwnerChanges } from '../router/ownerChanges.js';
import { PlansAhead } from '../router/plansAhead.js';
import { Router } from '../router/router.js';
import { SpanOutbox } from '../router/spanOutbox.js';
import type { Topic } from '../router/topic.js';
import { Shard } from '../shard/shard.js';
import { shardOfStream } from '../shard/streams/streamShard.js';
import { Streams } from '../shard/streams/streams.js';
import { SystemVoice } from '../shard/system/systemVoice.js';
import { Voice } from '../shard/voice.js';
import type { GroupWork } from '../shard/work/groupWork.js';
import type { StreamSummary } from '../stream/api/streamInfo.js';
import type { StreamConfig } from '../stream/streamConfig.js';
import { HeldMessages } from '../subscriber/heldMessages.js';
import { pinThread } from './affinity.js';
import { Arrivals } from './arrivals.js';
import { answerCall, type CallHandlers } from './calls.js';
import { memoryInUse, type ShardCensus, timersSet } from './census.js';
import { LameDuck } from './lameDuck.js';
import { type MonitoredParts, MonitoredShard, summaryOf } from './monitoredShard.js';
import { PasswordPool } from './passwordPool.js';
import { journalOf, openJournals, type ShardJournals } from './shardJournals.js';
import { ShardReports } from './shardReports.js';
import { awayRole, planningVoice, type RoleParts, routerRole, workHost } from './shardRoles.js';
import { reportStatistics } from './shardStatistics.js';
import { decider, StreamLinks } from './streamLinks.js';
import { SystemEvents } from './systemEvents.js';
import { SystemPart } from './systemPart.js';
import type {
  FromShard,
  LameDuckOrder,
  OpenedStreams,
  ShardCalls,
  ShardSettings,
  ShardThreadData,
  ToShard,
} from './threadMessages.js';

/** What a role that lives on a shard's thread beside the shard has to do with. */
export interface ShardSite {
  readonly self: number;
  readonly shard: Shard;
  readonly voice: Voice;
  /** Has the thread take another turn. */
  readonly requestTurn: () => void;
  /** Gives patterns other owners, on the thread that decides on that; null on the others. */
  readonly ownerChanges: OwnerChanges | null;
}

/** Nothing is forbidden to anybody who is let in. */
const everything: RightsOf = () => null;

/** One worker thread: a gateway and a shard on one event loop, joined to all others by the exchange. */
export class ShardThread {
  readonly #self: number;
  readonly #shards: number;
  readonly #listens: boolean;
  readonly #exchange: Exchange<Topic>;
  readonly #router: Router;
  readonly #shard: Shard;
  readonly #gateway: Gateway;
  readonly #handover: Handover;
  /** On the first shard's thread, which decides. */
  readonly #ownerChanges: OwnerChanges | null;
  readonly #streams: Streams;
  readonly #links: StreamLinks;
  readonly #reports: ShardReports;
  readonly #arrivals: Arrivals<Extract<ToShard, { type: 'adopt' }>>;
  /** A turn, in this order: what one causes, those behind it take in the same turn. */
  readonly #roles: readonly Role[];
  readonly #budget: MemoryBudget;
  readonly #tally: TallyRow;
  readonly #turns: HistogramWriter;
  readonly #delays: HistogramWriter;
  readonly #passwords = new PasswordPool();
  readonly #turn = new Turn(() => this.#doWork());
  readonly #port: MessagePort;
  readonly #journals: ShardJournals;
  readonly #monitored: MonitoredShard | null;
  /** Null where nobody may log in to the system account. */
  readonly #system: SystemPart | null;
  readonly #timers: NodeJS.Timeout[];
  readonly #spin = new AdaptiveSpin();
  /** Whether others had something for it in this turn. */
  #took = false;
  #tickMs = performance.now();
  #duck: LameDuck | null = null;
  /** Told when no connection is left. */
  readonly #whoWaitForEmpty: (() => void)[] = [];
  readonly #calls: CallHandlers<ShardCalls> = {
    ready: (pipe) => {
      if (pipe !== null) listenToPipe(pipe.reader, this.#exchange.wakeByPipe(pipe.writer));
      if (!this.#listens) return;
      // while the ports are opened, where the first connection comes to; other threads may be at their start still
      if (this.#self === 0) setImmediate(prepareSending);
      else setTimeout(prepareSending, sendingPauseMs).unref();
    },
    join: (peer) => this.#join(peer),
    leave: (endpoint) => this.#leave(endpoint),
    quiet: () => ({
      quiet: this.#isQuiet,
      sequenced: this.#shard.sequenced,
    }),
    census: () => this.#census(),
    statistics: async () => ({
      summary: await summaryOf(this.#monitoredParts),
      statistics: reportStatistics(this.#monitoredParts),
    }),
    openStreams: () => this.#streams.open().then(describeOpened, describeFailed),
    knowStreams: (streams) => this.#knowStreams(streams),
    declareStreams: (streams) =>
      this.#streams.declare(streams).then(
        () => null,
        ({ message }: Error) => message,
      ),
    sealedFiles: (buffered) => this.#journals[journalOf(buffered)]?.sealedFiles ?? null,
    onScrubbed: (buffered, gaps) => this.#journals[journalOf(buffered)]?.onScrubbed(gaps) ?? 0,
    closeStreams: () => this.#streams.close(),
    lameDuck: (order) => this.#lameDuck(order),
    endAll: () => this.#endAll(),
  };

  /** @param residents makes the roles that take their part of a turn behind the shard's */
  constructor(
    data: ShardThreadData,
    port: MessagePort,
    residents: (site: ShardSite) => readonly Role[] = () => [],
    rightsOf: RightsOf = everything,
  ) {
    if (data.pin) pinThread(data.self);
    this.#port = port;
    this.#self = data.self;
    this.#shards = data.shards;
    this.#listens = data.listeners.length > 0;
    const tell = (message: FromShard): void => this.#send(message);
    this.#journals = openJournals(data, tell);
    const work = new Work();
    this.#exchange = new Exchange<Topic>(data.exchange, data.self, work);
    this.#router = new Router(data, this.#exchange.announcer, (topic) => this.#exchange.forget(topic), work);
    if (data.shards > 1) this.#router.ahead = new PlansAhead(this.#router.plannings, planningVoice(this.#exchange));
    const held = new HeldMessages<Topic>();
    this.#shard = new Shard(
      this.#router,
      this.#exchange,
      data.self,
      data.lastValueBounds,
      this.#exchange,
      held,
      workHost(this.#exchange, () => this.#gateway, tell),
    );
    this.#budget = new MemoryBudget(data.budget, data.self, data.settings.memoryMaxBytes);
    this.#reports = new ShardReports(data.self, port, new Int32Array(data.load), () => this.#tellIfEmpty());
    this.#tally = tallyRow(data.tallies, data.self);
    this.#turns = new HistogramWriter(histogramIn(this.#tally, 'turn'));
    this.#delays = new HistogramWriter(histogramIn(this.#tally, 'delay'));
    this.#gateway = this.#makeGateway(data, held, rightsOf);
    this.#router.setDeclared(data.settings.declared);
    this.#router.setRefusing(data.settings.refusing);
    this.#handover = this.#makeHandover();
    this.#ownerChanges = data.self === decider ? this.#makeOwnerChanges(data.shards) : null;
    const parts: RoleParts = {
      router: this.#router,
      exchange: this.#exchange,
      gateway: this.#gateway,
      handover: this.#handover,
      ownerChanges: this.#ownerChanges,
    };
    this.#gateway.protocolLog.send = (lines, dropped) => this.#send({ type: 'traced', lines, dropped });
    const { delivery, tokens } = this.#gateway;
    this.#exchange.connect(routerRole(parts), this.#shard, delivery, tokens, awayRole(parts));
    const { publishing, flushing } = this.#gateway;
    const voice = new Voice(this.#router, this.#exchange, this.#shard);
    this.#links = new StreamLinks(data.self, data.streams.ports);
    this.#streams = this.#makeStreams(data, voice);
    this.#links.serve(this.#streams.calls);
    this.#monitored = data.monitor === null ? null : new MonitoredShard(data.monitor, this.#monitoredParts);
    this.#system = data.hasSystem ? this.#makeSystem() : null;
    const others = residents({
      self: data.self,
      shard: this.#shard,
      voice,
      requestTurn: this.#wake,
      ownerChanges: this.#ownerChanges,
    });
    // no connection is greeted before everybody can know what they have opened
    this.#exchange.publish();
    const owners = this.#ownerChanges === null ? [this.#handover] : [this.#handover, this.#ownerChanges];
    this.#arrivals = new Arrivals(this.#turn, ({ descriptor, id, remoteAddress, listener }) =>
      this.#gateway.adopt(descriptor, id, remoteAddress, listener),
    );
    this.#roles = [
      this.#arrivals,
      this.#router.plannings,
      { doWork: () => this.#takeFromOthers() },
      this.#gateway,
      this.#shard,
      ...owners,
      this.#streams,
      ...(this.#system === null ? [] : [this.#system.voice]),
      ...others,
      publishing,
      flushing,
    ];
    this.#timers = [
      setInterval(() => this.#tick(), healthTickMs),
      setInterval(() => this.#gateway.sweep(), topicSweepMs),
    ];
    if (data.monitor !== null) this.#gateway.beginCounting();
    port.on('message', (message: ToShard) => this.#onMessage(message));
    this.#turn.request();
  }

  /** Whether nothing is on its way here, and nothing is left to be said. */
  get #isQuiet(): boolean {
    const told = (this.#system?.voice.quiet ?? true) && this.#gateway.protocolLog.quiet;
    return (
      told &&
      this.#arrivals.isEmpty &&
      this.#gateway.inputDone &&
      this.#exchange.quiet &&
      this.#shard.quiet &&
      this.#streams.quiet
    );
  }

  get #monitoredParts(): MonitoredParts {
    return {
      self: this.#self,
      gateway: this.#gateway,
      router: this.#router,
      exchange: this.#exchange,
      shard: this.#shard,
      journals: this.#journals,
      streams: this.#streams,
      tally: this.#tally,
    };
  }

  #makeGateway(data: ShardThreadData, held: HeldMessages<Topic>, rightsOf: RightsOf): Gateway {
    return new Gateway(
      {
        self: data.self,
        listeners: data.listeners,
        ...data.settings,
        works: {
          visit: (see) => this.#shard.works.visit(see),
          drop: (work, cause) => this.#dropWork(work as GroupWork, cause),
        },
        comparePassword: this.#passwords.compare,
        passwordMemory: data.passwords,
        rightsOf,
        tally: this.#tally,
        closedMax: data.monitor === null ? 0 : Math.ceil(closedConnectionsMax / data.shards),
        spans: data.spans === null ? null : new SpanOutbox(data.spans),
      },
      this.#router,
      this.#exchange,
      this.#budget,
      this.#turn,
      this.#reports,
      held,
    );
  }

  #makeSystem(): SystemPart {
    const voice = new SystemVoice(this.#router, new Voice(this.#router, this.#exchange, this.#shard), this.#wake);
    const info = () => this.#gateway.greeter.info;
    const part = new SystemPart(this.#self, voice, new SystemEvents(voice, info), this.#monitored as MonitoredShard);
    this.#reports.system = part.events;
    if (this.#self === decider) part.serve(this.#shard.services, info().server_id);
    return part;
  }

  #makeHandover(): Handover {
    const deferral = () => this.#streams.deferral;
    return new Handover(true, this.#router, this.#exchange, {
      get deferral() {
        return deferral();
      },
      onMoved: (pattern) => this.#shard.works.handOver(pattern, this.#exchange.shards),
      onReleased: () => this.#gateway.relieve(),
      onDone: (step, number) => this.#onHandoverDone(step, number),
    });
  }

  #makeStreams(data: ShardThreadData, voice: Voice): Streams {
    const waitedFor = { synced: { journal: 'synced' }, buffered: { journal: 'buffered' } } as const;
    return new Streams({
      shards: data.shards,
      shard: this.#shard,
      voice,
      deferralVoice: new Voice(this.#router, this.#exchange, this.#shard),
      work: this.#router.work,
      requestTurn: this.#wake,
      interestVersion: () => this.#router.interest.version,
      ownerChanges: this.#ownerChanges,
      streamShards: this.#links,
      storages: { memory: new MemoryStorages(), ...this.#journals },
      memory: data.streams.memory,
      requestBytesMax: data.streams.requestBytesMax,
      server: data.streams.server,
      onRefused: (token, answer) => this.#exchange.syncRefused(token, answer),
      onTraced: (token, events) => this.#exchange.syncTold(token, events),
      onTooMuch: (isTooMuch) => this.#exchange.setShardFull(isTooMuch),
      onBehind: (topic, place) => this.#gateway.hold(topic, waitedFor[place]),
      onCaughtUp: (place) => this.#gateway.release(waitedFor[place]),
      onFailed: (reason) => this.#send({ type: 'diskFailed', reason }),
    });
  }

  #doWork(): void {
    const nowMs = performance.now();
    this.#gateway.egress.nowMs = nowMs;
    this.#exchange.awake();
    this.#spin.begin(nowMs);
    this.#took = false;
    const more = doRoles(this.#roles);
    const worked = this.#took || more;
    // turns in vain are no turns: nobody waits for their end
    const { latency } = this.#gateway;
    if (worked || this.#exchange.alone || this.#router.work.units > 0 || latency.any) this.#noteTurn(latency);
    // who had room only at the end is given work in the next turn
    this.#rest(worked, more || this.#shard.works.any);
  }

  /** Whether it is left to be taken is looked at before the thread sleeps. */
  #takeFromOthers(): boolean {
    this.#took = this.#exchange.doWork();
    return false;
  }

  /** One look at the clock says how long the turn took, and how long all that it has written. */
  #noteTurn(latency: Latency): void {
    const nowMs = performance.now();
    const turnMs = nowMs - this.#gateway.egress.nowMs;
    this.#tally[tally.turns]++;
    this.#tally[tally.turnMs] += turnMs;
    this.#turns.add(turnMs);
    if (latency.any) this.#gateway.noteWritten(nowMs);
  }

  /** Goes on, or waits: for a socket when it is alone, for others to ring when it has had nothing to do for some turns. */
  #rest(worked: boolean, more: boolean): void {
    if (this.#exchange.alone) {
      if (more) this.#turn.request();
      return;
    }
    // under load nobody sleeps and nobody rings: a wake-up costs more than some turns in vain
    if (this.#spin.end(worked) && !more && this.#exchange.sleep(this.#wake)) this.#spin.sleep(performance.now());
    else this.#turn.request();
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#noteDelay(nowMs);
    this.#shard.works.tick(nowMs);
    this.#streams.tick(nowMs);
    this.#gateway.tick(nowMs);
    this.#reports.reviewLastValues(this.#shard.lastValues);
    this.#system?.tick(nowMs, (lost) => this.#send({ type: 'systemEventsLost', shard: this.#self, lost }));
  }

  /** A timer that comes late says how long the thread was away. */
  #noteDelay(nowMs: number): void {
    this.#tally[tally.delays]++;
    const lateMs = Math.max(0, nowMs - this.#tickMs - healthTickMs);
    this.#tally[tally.delayMs] += lateMs;
    this.#delays.add(lateMs);
    this.#tickMs = nowMs;
  }

  readonly #wake = (): void => this.#turn.request();

  /** Before anybody can publish: their shards own what streams take. */
  #knowStreams(streams: readonly StreamConfig[]): void {
    for (const { name, subjects } of streams)
      for (const subject of subjects) this.#router.setOwner(byteText(subject), shardOfStream(name, this.#shards));
    this.#streams.know(streams);
  }

  #makeOwnerChanges(shards: number): OwnerChanges {
    return new OwnerChanges(shards, this.#router, (...step) => {
      this.#exchange.announcer.announceHandover(...step);
      this.#handover.onStep(...step);
      this.#wake();
    });
  }

  #onHandoverDone(step: HandoverStep, number: number): void {
    if (this.#ownerChanges === null) this.#exchange.announcerTo(decider)?.handoverDone(step, number);
    else this.#ownerChanges.onDone(this.#self, step, number);
  }

  #onMessage(message: ToShard): void {
    switch (message.type) {
      case 'call':
        answerCall(this.#calls, message, (answer) => this.#send(answer));
        break;
      case 'adopt':
        this.#arrivals.add(message);
        break;
      case 'reload':
        this.#reload(message.settings);
        break;
      case 'traceTaken':
        this.#gateway.protocolLog.onTaken();
        this.#wake();
        break;
      case 'stopReading':
        this.#duck?.stop();
        this.#system?.onEnding('SHUTDOWN');
        this.#streams.stopDelivering();
        this.#gateway.stopReading();
        break;
      case 'exit':
        for (const timer of this.#timers) clearInterval(timer);
        this.#duck?.stop();
        void this.#passwords.end();
        this.#links.close();
        this.#monitored?.close();
        this.#gateway.tracing.spans?.close();
        this.#port.close();
        break;
    }
  }

  #census(): ShardCensus {
    const { interest, topics } = this.#router;
    const kept = this.#shard.lastValues;
    return {
      shard: this.#self,
      ...this.#gateway.census(),
      interest: interest.size,
      queues: interest.queueNames.size,
      topics: topics.size,
      lastValues: kept.size,
      lastValueBytes: kept.bytes,
      lastValuesDropped: kept.evicted + kept.refused,
      kernelEncoded: this.#gateway.delivery.kernelEncoded,
      timers: timersSet(),
      memoryBytes: memoryInUse(),
    };
  }

  #join(peer: PeerMemory): void {
    this.#exchange.join(peer);
    const announcer = this.#exchange.announcerTo(peer.endpoint);
    if (announcer !== null) this.#router.replay(announcer);
    if (announcer !== null && this.#self === decider) this.#handover.replay(announcer);
    this.#exchange.publish();
    this.#turn.request();
  }

  #leave(endpoint: number): void {
    // what it published before it went is still taken
    this.#exchange.takeAll();
    this.#router.dropGateway(endpoint);
    this.#shard.forgetGateway(endpoint);
    this.#exchange.leave(endpoint);
    this.#gateway.relieve();
    this.#exchange.publish();
  }

  #lameDuck(order: LameDuckOrder): Promise<void> {
    this.#system?.onEnding('LAMEDUCK');
    this.#gateway.announceInfo(order.info);
    this.#duck ??= new LameDuck(this.#gateway, order);
    return this.#whenEmpty();
  }

  #endAll(): Promise<void> {
    this.#gateway.endAll();
    return this.#whenEmpty();
  }

  #reload(settings: ShardSettings): void {
    this.#budget.maxBytes = settings.memoryMaxBytes;
    this.#router.setDeclared(settings.declared);
    this.#router.setRefusing(settings.refusing);
    this.#gateway.reload(settings.limits, settings.credentials, settings.info, settings.webSocket);
  }

  #whenEmpty(): Promise<void> {
    return new Promise((resolve) => {
      this.#whoWaitForEmpty.push(resolve);
      this.#tellIfEmpty();
    });
  }

  #tellIfEmpty(): void {
    if (this.#whoWaitForEmpty.length > 0 && this.#gateway.empty)
      for (const resolve of this.#whoWaitForEmpty.splice(0)) resolve();
  }

  #dropWork(work: GroupWork, cause: MemoryCause): void {
    this.#send({ type: 'workFull', group: work.queue, messages: this.#shard.works.drop(work), ...cause });
  }

  #send(message: FromShard): void {
    this.#port.postMessage(message);
  }
}

function describeOpened(summaries: readonly StreamSummary[]): OpenedStreams {
  return { configs: summaries.map(({ config }) => config), error: null };
}

function describeFailed({ message }: Error): OpenedStreams {
  return { configs: [], error: message };
}
