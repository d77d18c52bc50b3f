import { byteText } from '../../base/bytes.js';
import { answerBytesMax, deferredBytesMax, streamTickMs } from '../../base/limits.js';
import type { Page, StreamUsage, Walks } from '../../base/reports.js';
import { doRoles, type Role } from '../../base/role.js';
import type { Work } from '../../base/work.js';
import type { Deferrals } from '../../router/handover.js';
import type { OwnerChanges } from '../../router/ownerChanges.js';
import type { Topic } from '../../router/topic.js';
import { ApiError } from '../../stream/api/apiError.js';
import { writeJson } from '../../stream/api/json.js';
import type { ServerFacts, StreamSummary } from '../../stream/api/streamInfo.js';
import { type DiskPlace, diskPlaces } from '../../stream/extensions.js';
import type { MemoryBounds } from '../../stream/memoryShare.js';
import type { StreamConfig } from '../../stream/streamConfig.js';
import { WallClock } from '../../stream/times.js';
import { ConsumerAdvisories } from '../consumers/consumerAdvisories.js';
import { consumerEndpoints } from '../consumers/consumerEndpoints.js';
import { ConsumerRequests } from '../consumers/consumerRequests.js';
import { Sending } from '../consumers/sending.js';
import { ShardConsumers } from '../consumers/shardConsumers.js';
import { Statuses } from '../consumers/statuses.js';
import type { Shard } from '../shard.js';
import type { Voice } from '../voice.js';
import { Advisories } from './advisories.js';
import { AnswerQueues } from './answerQueues.js';
import { ApiAudits } from './apiAudits.js';
import { ApiService } from './apiService.js';
import { Capture } from './capture.js';
import { Catalogue } from './catalogue.js';
import { catalogueEndpoints } from './catalogueEndpoints.js';
import { type DeclaredStream, declareStreams } from './declaredStreams.js';
import { DeferralQueues } from './deferralQueues.js';
import { DirectGets } from './directGets.js';
import { OneByOne } from './oneByOne.js';
import { AckTexts } from './pubAck.js';
import { ShardStreams, type StoragesByPlace } from './shardStreams.js';
import { Slices } from './slices.js';
import type { CallFailure, StreamCalls, StreamShards } from './streamCalls.js';
import { streamEndpoints } from './streamEndpoints.js';
import { type StreamReportSite, StreamReports } from './streamReports.js';
import { TurnClock, TurnTime } from './turnClock.js';

/** What the streams of a shard need of their thread. */
export interface StreamsSite {
  readonly shards: number;
  readonly shard: Shard;
  readonly voice: Voice;
  /** For deliveries that waited for the disk: with a share of the turn of their own, so that acknowledgements do not wait for them. */
  readonly deferralVoice: Voice;
  readonly work: Pick<Work, 'turn' | 'units'>;
  readonly requestTurn: () => void;
  /** Moves whenever somebody has begun or ceased to listen anywhere. */
  readonly interestVersion: () => number;
  /** On the shard that decides on owners, and so on streams; null on the others. */
  readonly ownerChanges: OwnerChanges | null;
  /** How that one reaches the streams of all. */
  readonly streamShards: StreamShards;
  readonly storages: StoragesByPlace;
  readonly memory: MemoryBounds;
  /** What requests that are not answered yet may take, and answers that are not said yet, in bytes each. */
  readonly requestBytesMax: number;
  readonly server: ServerFacts;
  /** Has nothing more put in order here while there is too much to say. */
  readonly onTooMuch: (isTooMuch: boolean) => void;
  /** Tells whoever published with a token that the message is not stored. @param answer as an acknowledgement says it */
  readonly onRefused: (token: number, answer: string) => void;
  /** Tells the publisher of a message that is traced what a stream has made of it. @param events as JSON, in ASCII */
  readonly onTraced: (token: number, events: string) => void;
  /** Has publishers of a topic wait for what streams of a place have on their way to the disk, until that has caught up. */
  readonly onBehind: (topic: Topic, place: DiskPlace) => void;
  readonly onCaughtUp: (place: DiskPlace) => void;
  /** Streams on disk take nothing any more. */
  readonly onFailed: (reason: string) => void;
}

/** How calls of the shard that decides are answered. */
export type StreamCallHandlers = {
  readonly [K in keyof StreamCalls]: (
    ...given: Parameters<StreamCalls[K]>
  ) => ReturnType<StreamCalls[K]> | Promise<ReturnType<StreamCalls[K]>>;
};

/** The streams of one shard: what they take, what they answer, and on one shard the catalogue of all. */
export class Streams implements Role {
  readonly calls: StreamCallHandlers;
  readonly #site: StreamsSite;
  readonly #answers: AnswerQueues;
  readonly #deferral: DeferralQueues;
  readonly #streams: ShardStreams;
  readonly #slices: Slices;
  readonly #consumers: ShardConsumers;
  readonly #roles: readonly Role[];
  readonly #reporting: StreamReportSite;
  readonly #catalogue: Catalogue | null = null;
  /** Where publishers wait for the disk. */
  readonly #behind = new Set<DiskPlace>();
  #isTooMuch = false;
  #nextTickMs = 0;

  constructor(site: StreamsSite) {
    const { shard, voice, requestTurn, server, ownerChanges } = site;
    const clock = new WallClock();
    this.#site = site;
    this.#answers = new AnswerQueues(voice, new AckTexts(server.domain));
    const onRefused = (token: number, refusal: ApiError) => site.onRefused(token, refusalText(refusal));
    this.#deferral = new DeferralQueues(site.deferralVoice, onRefused);
    const slices = new Slices(requestTurn);
    this.#slices = slices;
    const upkeep = new Slices(requestTurn);
    const onBehind = (topic: Topic, place: DiskPlace) => this.#onBehind(topic, place);
    const { work, onTraced } = site;
    const capture = new Capture(
      { answers: this.#answers, deferral: this.#deferral, work, onRefused, onTraced, onBehind },
      new TurnClock(clock, site.work),
      server.domain,
    );
    const { storages, memory } = site;
    const onFailed = (reason: string) => {
      requestTurn();
      site.onFailed(reason);
    };
    const reports = { onCommitted: requestTurn, onFailed };
    this.#streams = new ShardStreams({
      storages,
      memory,
      capture,
      slices,
      upkeep,
      clock,
      reports,
      onResumed: (stream) => this.#consumers.resume(stream),
      onGone: (name) => this.#consumers.deleteAll(name),
    });
    const advisories = new Advisories(this.#answers, voice, clock, server.domain);
    const sending = new Sending(shard.addressing);
    const statuses = new Statuses(shard.addressing, sending, voice, this.#answers);
    const turnMs = new TurnTime(site.work);
    const answers = this.#answers;
    this.#consumers = new ShardConsumers({
      addressing: shard.addressing,
      sending,
      slices,
      nowMs: () => turnMs.nowMs(),
      clock: new TurnClock(clock, site.work),
      interestVersion: () => site.interestVersion(),
      requestTurn,
      advisories: new ConsumerAdvisories(advisories),
      sayAt: (address, reply, block) => statuses.sayAt(address, reply, block),
      ask: (subject, reply, block) => statuses.ask(subject, reply, block),
      // where a disk hangs, whoever asks again and again is told nothing: what it acknowledged is done, and it may ask once more
      confirm: (run, stream) => {
        if (answers.bytes <= site.requestBytesMax) answers.addConfirmations(run, stream);
      },
    });
    this.#roles = [slices, upkeep, this.#consumers, this.#deferral, this.#answers];
    this.calls = callsOf(this.#streams);
    shard.capture = capture;
    const streams = this.#streams;
    const { requestBytesMax } = site;
    const api = new ApiService({
      services: shard.services,
      answers,
      server,
      streams,
      slices,
      requestTurn,
      requestBytesMax,
      audits: new ApiAudits(advisories, server),
    });
    this.#reporting = { streams, consumers: this.#consumers, clock, server };
    const own = { streams: this.#streams, slices, clock, server, detailed: new OneByOne() };
    for (const endpoint of streamEndpoints(own)) api.open(endpoint);
    new DirectGets(own, api).open();
    for (const endpoint of consumerEndpoints({ ...own, consumers: this.#consumers })) api.open(endpoint);
    new ConsumerRequests(this.#consumers, api).open(shard.services);
    if (ownerChanges === null) return;
    this.#catalogue = new Catalogue({
      shards: site.shards,
      owners: ownerChanges,
      calls: site.streamShards,
      slices,
      memoryBytesMax: memory.bytesMax * site.shards,
      onAction: (name, action) => advisories.sayAction(name, action),
    });
    const deciding = { catalogue: this.#catalogue, clock, server, slices, listed: new OneByOne() };
    for (const endpoint of catalogueEndpoints(deciding)) api.open(endpoint);
  }

  /** Opens the streams that are on disk; before anything else is asked. Rejects with what the disk said. */
  open(): Promise<StreamSummary[]> {
    return this.#streams.open();
  }

  /** The server stops: consumers deliver no more. */
  stopDelivering(): void {
    this.#consumers.stopDelivering();
  }

  /** Writes what is not on disk yet; nothing is stored any more. */
  close(): Promise<void> {
    return this.#streams.close();
  }

  /** Which streams there are, on all shards; before the first change. Their shards own their subjects already. */
  know(configs: readonly StreamConfig[]): void {
    this.#catalogue?.know(configs);
  }

  /** What all of them use. */
  usage(): Promise<StreamUsage> {
    return this.#streams.usage();
  }

  /** Names of a stream's consumers; null when there is no such stream. */
  consumersOf(stream: string): readonly string[] | null {
    if (this.#streams.peek(stream) === null) return null;
    return this.#consumers.of(stream).map(({ consumer }) => consumer.name);
  }

  /** Tells of the streams, a page a call, which takes some turns. */
  report(asked: Walks['streams']['asked']): () => Promise<Page<'streams'>> {
    const reports = new StreamReports(this.#reporting, asked);
    return () => this.#slices.run(reports.page());
  }

  /** Runs whose delivery waits for the disk, or has waited. */
  get deferral(): Deferrals {
    return this.#deferral;
  }

  /**
   * Makes streams that are not there; on the shard that decides.
   *
   * @throws Error for one that cannot be made, or is there and is another one
   */
  async declare(streams: readonly DeclaredStream[]): Promise<void> {
    if (this.#catalogue !== null) await declareStreams(this.#catalogue, streams);
  }

  /** Whether nothing is left to be said or done. */
  get quiet(): boolean {
    return this.#answers.bytes === 0 && this.#deferral.bytes === 0 && this.#slices.quiet;
  }

  doWork(): boolean {
    const worked = doRoles(this.#roles);
    if (this.#behind.size > 0) for (const place of diskPlaces) this.#lookWhetherBehind(place);
    // most turns have nothing to be said
    if (this.#isTooMuch || this.#answers.bytes > answerBytesMax) this.#lookWhetherTooMuch();
    return worked;
  }

  #lookWhetherTooMuch(): void {
    const { bytes, sayableBytes } = this.#answers;
    const max = this.#isTooMuch ? answerBytesMax / 2 : answerBytesMax;
    const isTooMuch = sayableBytes > max || bytes > unsayableFactor * max;
    if (isTooMuch === this.#isTooMuch) return;
    this.#isTooMuch = isTooMuch;
    this.#site.onTooMuch(isTooMuch);
  }

  #onBehind(topic: Topic, place: DiskPlace): void {
    this.#behind.add(place);
    this.#site.onBehind(topic, place);
  }

  /** Publishers go on once the disk has caught up. */
  #lookWhetherBehind(place: DiskPlace): void {
    if (!this.#behind.has(place)) return;
    const waitingBytes = Math.max(this.#deferral.of(place).bytes, this.#answers.bytesOf(place));
    if (waitingBytes > deferredBytesMax / 2 || this.#streams.isBehind(place)) return;
    this.#behind.delete(place);
    this.#site.onCaughtUp(place);
  }

  /** Called now and then. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextTickMs) return;
    this.#nextTickMs = nowMs + streamTickMs;
    this.#streams.tick();
    this.#answers.tidy();
    this.#deferral.tidy();
  }
}

/** As much more may wait for a disk: publishers are told to wait before, who asks for something is not. */
const unsayableFactor = 4;

function callsOf(streams: ShardStreams): StreamCallHandlers {
  return {
    createStream: (config) => streams.create(config).catch(failureOf),
    updateStream: (config) => streams.update(config).catch(failureOf),
    destroyStream: (name) => streams.destroy(name).then(() => null, failureOf),
    streams: (names) => streams.summaries(names),
    streamUsage: () => streams.usage(),
  };
}

function failureOf(error: unknown): CallFailure {
  if (!(error instanceof ApiError)) throw error;
  return { code: error.code, errCode: error.errCode, description: error.message };
}

function refusalText(refusal: ApiError): string {
  return byteText(writeJson({ error: refusal.toJson() }));
}
