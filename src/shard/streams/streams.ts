import { answerBytesMax, streamTickMs } from '../../base/limits.js';
import { doRoles, type Role } from '../../base/role.js';
import type { OwnerChanges } from '../../router/ownerChanges.js';
import { ApiError } from '../../stream/api/apiError.js';
import type { ServerFacts } from '../../stream/api/streamInfo.js';
import { type Clock, WallClock } from '../../stream/times.js';
import type { Shard } from '../shard.js';
import type { Voice } from '../voice.js';
import { Answers } from './answers.js';
import { ApiService } from './apiService.js';
import { Capture } from './capture.js';
import { Catalogue } from './catalogue.js';
import { catalogueEndpoints } from './catalogueEndpoints.js';
import { DirectGets } from './directGets.js';
import { ShardStreams, type StoragesByKind } from './shardStreams.js';
import { Slices } from './slices.js';
import type { CallFailure, StreamCalls, StreamShards } from './streamCalls.js';
import { streamEndpoints } from './streamEndpoints.js';

/** What the streams of a shard need of their thread. */
export interface StreamsSite {
  readonly shards: number;
  readonly shard: Shard;
  readonly voice: Voice;
  readonly requestTurn: () => void;
  /** On the shard that decides on owners, and so on streams; null on the others. */
  readonly ownerChanges: OwnerChanges | null;
  /** How that one reaches the streams of all. */
  readonly streamShards: StreamShards;
  readonly storages: StoragesByKind;
  readonly memoryBytesMax: number;
  readonly server: ServerFacts;
  /** Has nothing more put in order here while there is too much to say. */
  readonly onTooMuch: (isTooMuch: boolean) => void;
  readonly clock?: Clock;
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
  readonly #answers: Answers;
  readonly #streams: ShardStreams;
  readonly #slices: Slices;
  readonly #roles: readonly Role[];
  #isTooMuch = false;
  #nextTickMs = 0;

  constructor(site: StreamsSite) {
    const { shard, voice, requestTurn, server, ownerChanges } = site;
    const clock = site.clock ?? new WallClock();
    this.#site = site;
    this.#answers = new Answers(voice);
    const slices = new Slices(requestTurn);
    this.#slices = slices;
    const capture = new Capture(this.#answers, clock, server.domain);
    const upkeep = new Slices(requestTurn);
    this.#streams = new ShardStreams(site.storages, site.memoryBytesMax, capture, slices, upkeep, clock);
    this.#roles = [slices, upkeep, this.#answers];
    this.calls = callsOf(this.#streams);
    shard.capture = capture;
    const api = new ApiService(shard.services, this.#answers, server, this.#streams, requestTurn);
    const own = { streams: this.#streams, slices, clock, server };
    for (const endpoint of streamEndpoints(own)) api.open(endpoint);
    new DirectGets(own, api).open();
    if (ownerChanges === null) return;
    const catalogue = new Catalogue(site.shards, ownerChanges, site.streamShards);
    for (const endpoint of catalogueEndpoints({ catalogue, clock, server })) api.open(endpoint);
  }

  /** Whether nothing is left to be said or done. */
  get quiet(): boolean {
    return this.#answers.bytes === 0 && this.#slices.quiet;
  }

  doWork(): boolean {
    const worked = doRoles(this.#roles);
    const isTooMuch = this.#answers.bytes > (this.#isTooMuch ? answerBytesMax / 2 : answerBytesMax);
    if (isTooMuch !== this.#isTooMuch) {
      this.#isTooMuch = isTooMuch;
      this.#site.onTooMuch(isTooMuch);
    }
    return worked;
  }

  /** Called now and then. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextTickMs) return;
    this.#nextTickMs = nowMs + streamTickMs;
    this.#streams.tick();
  }
}

function callsOf(streams: ShardStreams): StreamCallHandlers {
  return {
    createStream: (config) => streams.create(config).catch(failureOf),
    updateStream: (config) => streams.update(config).catch(failureOf),
    destroyStream: (name) => streams.destroy(name).then(() => null, failureOf),
    streams: () => streams.summaries(),
    streamUsage: () => streams.usage(),
  };
}

function failureOf(error: unknown): CallFailure {
  if (!(error instanceof ApiError)) throw error;
  return { code: error.code, errCode: error.errCode, description: error.message };
}
