import { randomInt } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import { byteText } from '../base/bytes.js';
import { fullness } from '../base/fullness.js';
import { healthTickMs, idleTurnsMax, topicSweepMs } from '../base/limits.js';
import { doRoles, type Role } from '../base/role.js';
import { Turn } from '../base/turn.js';
import { Work } from '../base/work.js';
import { Exchange } from '../exchange/exchange.js';
import type { PeerMemory } from '../exchange/memory.js';
import type { AwayRole, HandoverStep, RouterRole } from '../exchange/roles.js';
import type { AwayEndpoint } from '../gateway/backpressure.js';
import { Gateway } from '../gateway/gateway.js';
import type { RightsOf } from '../gateway/logins/logins.js';
import { MemoryBudget } from '../gateway/memoryBudget.js';
import type { MemoryCause } from '../gateway/memoryPressure.js';
import { prepareSending } from '../gateway/native.js';
import type { Damage, LostRange } from '../log/damage.js';
import { DurableStorages } from '../log/durableStorages.js';
import { systemDisk } from '../log/files.js';
import { MemoryStorages } from '../log/memoryStorage.js';
import { systemTimers } from '../log/timers.js';
import { latestName } from '../protocol/messageKey.js';
import { Handover } from '../router/handover.js';
import { OwnerChanges } from '../router/ownerChanges.js';
import { type PlanningVoice, PlansAhead } from '../router/plansAhead.js';
import { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import { Shard } from '../shard/shard.js';
import { shardOfStream } from '../shard/streams/streamShard.js';
import { Streams } from '../shard/streams/streams.js';
import { Voice } from '../shard/voice.js';
import type { GroupWork } from '../shard/work/groupWork.js';
import type { WorkHost } from '../shard/work/works.js';
import type { StreamSummary } from '../stream/api/streamInfo.js';
import type { StreamConfig } from '../stream/streamConfig.js';
import { HeldMessages } from '../subscriber/heldMessages.js';
import { pinThread } from './affinity.js';
import { answerCall, type CallHandlers } from './calls.js';
import { memoryInUse, type ShardCensus, timersSet } from './census.js';
import { LameDuck } from './lameDuck.js';
import { PasswordPool } from './passwordPool.js';
import { ShardReports } from './shardReports.js';
import { decider, StreamLinks } from './streamLinks.js';
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
  /** A turn, in this order: what one causes, those behind it take in the same turn. */
  readonly #roles: readonly Role[];
  readonly #budget: MemoryBudget;
  readonly #passwords = new PasswordPool();
  readonly #turn = new Turn(() => this.#doWork());
  readonly #port: MessagePort;
  readonly #durable: Readonly<Record<'synced' | 'buffered', DurableStorages | null>>;
  readonly #timers: NodeJS.Timeout[];
  #idleTurns = 0;
  #duck: LameDuck | null = null;
  /** Told when no connection is left. */
  readonly #whoWaitForEmpty: (() => void)[] = [];
  readonly #calls: CallHandlers<ShardCalls> = {
    ready: () => {
      // while the ports are opened: the first connections hardly wait for it
      if (this.#listens) setImmediate(prepareSending);
    },
    join: (peer) => this.#join(peer),
    leave: (endpoint) => this.#leave(endpoint),
    quiet: () => ({
      quiet: this.#gateway.inputDone && this.#exchange.quiet && this.#shard.quiet && this.#streams.quiet,
      sequenced: this.#shard.sequenced,
    }),
    census: () => this.#census(),
    openStreams: () => this.#streams.open().then(describeOpened, describeFailed),
    knowStreams: (streams) => this.#knowStreams(streams),
    declareStreams: (streams) =>
      this.#streams.declare(streams).then(
        () => null,
        ({ message }: Error) => message,
      ),
    sealedFiles: (buffered) => this.#journalOf(buffered)?.sealedFiles ?? null,
    onScrubbed: (buffered, gaps) => this.#journalOf(buffered)?.onScrubbed(gaps) ?? 0,
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
    this.#durable = { synced: this.#makeDurable(data, false), buffered: this.#makeDurable(data, true) };
    const work = new Work();
    this.#exchange = new Exchange<Topic>(data.exchange, data.self, work);
    this.#router = new Router(data, this.#exchange.announcer, (topic) => this.#exchange.forget(topic), work);
    if (data.shards > 1) this.#router.ahead = new PlansAhead(this.#router.plannings, this.#planningVoice());
    const held = new HeldMessages<Topic>();
    this.#shard = new Shard(
      this.#router,
      this.#exchange,
      data.self,
      data.lastValueBounds,
      this.#exchange,
      held,
      this.#workHost(),
    );
    this.#budget = new MemoryBudget(data.budget, data.self, data.settings.memoryMaxBytes);
    this.#reports = new ShardReports(data.self, port, new Int32Array(data.load), () => this.#tellIfEmpty());
    this.#gateway = new Gateway(
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
      },
      this.#router,
      this.#exchange,
      this.#budget,
      this.#turn,
      this.#reports,
      held,
    );
    this.#router.setDeclared(data.settings.declared);
    this.#router.setRefusing(data.settings.refusing);
    const deferral = () => this.#streams.deferral;
    this.#handover = new Handover(true, this.#router, this.#exchange, {
      get deferral() {
        return deferral();
      },
      onMoved: (pattern) => this.#shard.works.handOver(pattern, this.#exchange.shards),
      onReleased: () => this.#gateway.relieve(),
      onDone: (step, number) => this.#onHandoverDone(step, number),
    });
    this.#ownerChanges = data.self === decider ? this.#makeOwnerChanges(data.shards) : null;
    this.#exchange.connect(
      this.#routerRole(),
      this.#shard,
      this.#gateway.delivery,
      this.#gateway.stores,
      this.#awayRole(),
    );
    const { publishing, flushing } = this.#gateway;
    const voice = new Voice(this.#router, this.#exchange, this.#shard);
    this.#links = new StreamLinks(data.self, data.streams.ports);
    const disk: AwayEndpoint = { endpoint: data.self };
    this.#streams = new Streams({
      shards: data.shards,
      shard: this.#shard,
      voice,
      deferralVoice: new Voice(this.#router, this.#exchange, this.#shard),
      work: this.#router.work,
      requestTurn: () => this.#wake(),
      ownerChanges: this.#ownerChanges,
      streamShards: this.#links,
      storages: { memory: new MemoryStorages(), ...this.#durable },
      memoryBytesMax: data.streams.memoryBytesMax,
      server: data.streams.server,
      onRefused: (token, answer) => this.#exchange.syncRefused(token, answer),
      onTooMuch: (isTooMuch) => this.#exchange.setShardFull(isTooMuch),
      onBehind: (topic) => this.#gateway.hold(topic, disk),
      onCaughtUp: () => this.#gateway.release(disk),
      onFailed: (reason) => this.#send({ type: 'diskFailed', reason }),
    });
    this.#links.serve(this.#streams.calls);
    const others = residents({
      self: data.self,
      shard: this.#shard,
      voice,
      requestTurn: () => this.#wake(),
      ownerChanges: this.#ownerChanges,
    });
    // no connection is greeted before everybody can know what they have opened
    this.#exchange.publish();
    const owners = this.#ownerChanges === null ? [this.#handover] : [this.#handover, this.#ownerChanges];
    this.#roles = [
      this.#router.plannings,
      this.#exchange,
      this.#gateway,
      this.#shard,
      ...owners,
      this.#streams,
      ...others,
      publishing,
      flushing,
    ];
    this.#timers = [
      setInterval(() => this.#tick(), healthTickMs),
      setInterval(() => this.#gateway.sweep(), topicSweepMs),
    ];
    port.on('message', (message: ToShard) => this.#onMessage(message));
    this.#turn.request();
  }

  #doWork(): void {
    this.#gateway.egress.nowMs = performance.now();
    const worked = doRoles(this.#roles);
    // who had room only at the end is given work in the next turn
    this.#rest(worked || this.#shard.works.any);
  }

  /** Goes on, or waits: for a socket when it is alone, for others to ring when it has had nothing to do for some turns. */
  #rest(worked: boolean): void {
    if (this.#exchange.alone) {
      if (worked) this.#turn.request();
      return;
    }
    this.#idleTurns = worked ? 0 : this.#idleTurns + 1;
    // under load nobody sleeps and nobody rings: a wake-up costs more than some turns in vain
    if (this.#idleTurns < idleTurnsMax || !this.#exchange.sleep(() => this.#wake())) this.#turn.request();
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#shard.works.tick(nowMs);
    this.#streams.tick(nowMs);
    this.#gateway.tick(nowMs);
    this.#reports.reviewLastValues(this.#shard.lastValues);
  }

  #wake(): void {
    this.#idleTurns = 0;
    this.#turn.request();
  }

  #journalOf(buffered: boolean): DurableStorages | null {
    return this.#durable[buffered ? 'buffered' : 'synced'];
  }

  #makeDurable({ self, shards, streams: { place } }: ShardThreadData, buffered: boolean): DurableStorages | null {
    if (place === null) return null;
    const durable: DurableStorages = new DurableStorages({
      disk: systemDisk,
      timers: systemTimers,
      place,
      shard: self,
      buffered,
      random: () => randomInt(streamNumberMax),
      owns: (name) => shardOfStream(name, shards) === self,
      onUnsaved: (reason) => this.#send({ type: 'unsaved', reason }),
      onDamage: (damage) => this.#tellDamage(damage, (number) => durable.nameOf(number)),
    });
    return durable;
  }

  #tellDamage({ file, offset, lost }: Damage, nameOf: (number: number) => string | null): void {
    const named = lost
      .slice(0, lostNamedMax)
      .map(({ stream, first, last }) => ({ stream: nameOf(stream) ?? '', first, last }));
    const counts = { streams: lost.length, messages: sequencesIn(lost) };
    this.#send({ type: 'damaged', file, offset, ...counts, lost: named });
  }

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

  #routerRole(): RouterRole<Topic> {
    return {
      ...this.#router.role(),
      freshen: (topic) => this.#router.ready(topic),
      onTopicFull: (gateway, subject, state) => {
        this.#router.holds.setFull(subject, gateway, state);
        if (state <= fullness.dropping) this.#gateway.relieve();
      },
      onLagging: (gateway, subject, lags) => {
        this.#router.holds.setLagging(subject, gateway, lags);
        if (!lags) this.#gateway.relieve();
      },
      onHoldSpent: (subject) => this.#gateway.spend(subject),
      onGroupSpent: (...spent) => this.#gateway.backpressure.onGroupSpent(...spent),
      onPlanAsked: (...asked) => this.#router.onPlanAsked(...asked),
      onPlanMade: (number) => this.#router.ahead?.onMade(number),
      onHandover: (...step) => this.#handover.onStep(...step),
      onHandoverDone: (shard, step, number) => this.#ownerChanges?.onDone(shard, step, number),
    };
  }

  #planningVoice(): PlanningVoice {
    return {
      ask: (...asked) => this.#exchange.announcer.announcePlanAsked(...asked),
      answer: (endpoint, number) => this.#exchange.announcerTo(endpoint)?.planMade(number),
    };
  }

  #workHost(): WorkHost {
    const exchange = this.#exchange;
    const limits = () => this.#gateway.limits;
    return {
      get congested() {
        return exchange.congested;
      },
      get lossWindowMs() {
        return limits().lossWindowMs;
      },
      onTooMuch: (topic, work) => this.#gateway.hold(topic, work),
      onChange: (work, change) => this.#gateway.changeHold(work, change),
      onEnoughTaken: (work) => this.#gateway.release(work),
      onLost: (why, group, messages) => this.#send({ type: 'workLost', why, group, messages }),
    };
  }

  #awayRole(): AwayRole<Topic> {
    const holders = new Map<number, AwayEndpoint>();
    return {
      lossySubjects: (topic, endpoint) => this.#router.lossySubjects(topic, endpoint),
      nameOf: (topic, message, index) => latestName(topic.text, message, index),
      hold: (topic, endpoint) => {
        const holder = holders.get(endpoint) ?? { endpoint };
        holders.set(endpoint, holder);
        this.#gateway.hold(topic, holder);
      },
      release: (endpoint) => this.#gateway.release(holders.get(endpoint) as AwayEndpoint),
    };
  }

  #onMessage(message: ToShard): void {
    switch (message.type) {
      case 'call':
        answerCall(this.#calls, message, (answer) => this.#send(answer));
        break;
      case 'adopt':
        this.#gateway.adopt(message.descriptor, message.id, message.remoteAddress, message.listener);
        break;
      case 'reload':
        this.#reload(message.settings);
        break;
      case 'stopReading':
        this.#duck?.stop();
        this.#gateway.stopReading();
        break;
      case 'exit':
        for (const timer of this.#timers) clearInterval(timer);
        this.#duck?.stop();
        void this.#passwords.end();
        this.#links.close();
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
      skipped: this.#gateway.egress.skipped,
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
    this.#exchange.doWork(Number.MAX_SAFE_INTEGER);
    this.#router.dropGateway(endpoint);
    this.#shard.forgetGateway(endpoint);
    this.#exchange.leave(endpoint);
    this.#gateway.relieve();
    this.#exchange.publish();
  }

  #lameDuck(order: LameDuckOrder): Promise<void> {
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

/** Streams on disk are numbered below this. */
const streamNumberMax = 2 ** 48 - 1;
/** Of what damage has taken so many ranges are named. */
const lostNamedMax = 16;

function sequencesIn(lost: readonly LostRange[]): number {
  return lost.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

function describeOpened(summaries: readonly StreamSummary[]): OpenedStreams {
  return { configs: summaries.map(({ config }) => config), error: null };
}

function describeFailed({ message }: Error): OpenedStreams {
  return { configs: [], error: message };
}
