import type { MessagePort } from 'node:worker_threads';
import type { ShardSummary } from '../base/reports.js';
import type { ShardStatistics } from '../base/statistics.js';
import type { ExchangeMemory, PeerMemory } from '../exchange/memory.js';
import type { ListenerName } from '../gateway/doors/door.js';
import type { MemoryCause } from '../gateway/memoryPressure.js';
import type { Credentials, GatewayLimits, WebSocketSettings } from '../gateway/options.js';
import type { DataPlace } from '../log/dataDirectory.js';
import type { Gap, SealedFiles } from '../log/scrub.js';
import type { Order } from '../options/brokerOptions.js';
import type { ServerInfo } from '../protocol/info.js';
import type { LastValueBounds } from '../shard/lastValues.js';
import type { DeclaredStream } from '../shard/streams/declaredStreams.js';
import type { ServerFacts } from '../stream/api/streamInfo.js';
import type { MemoryBounds } from '../stream/memoryShare.js';
import type { StreamConfig } from '../stream/streamConfig.js';
import type { AnswerMessage, CallMessage } from './calls.js';
import type { ShardCensus } from './census.js';
import type { PostedSpanWay } from './telemetry.js';
import type { ShardPipe } from './wakePipes.js';

/** What may be changed while a shard's thread runs. */
export interface ShardSettings {
  limits: GatewayLimits;
  credentials: Credentials;
  info: ServerInfo;
  /** Declared topics in strict mode, else null. */
  declared: readonly string[] | null;
  /** Topics that refuse what is published while they are full. */
  refusing: readonly string[];
  memoryMaxBytes: number;
  webSocket: WebSocketSettings;
}

/** What a shard's thread is started with. */
export interface ShardThreadData {
  self: number;
  shards: number;
  endpoints: number;
  order: Order;
  hashSeed: number;
  pin: boolean;
  /** Ports that connections may come from. */
  listeners: readonly ListenerName[];
  /** Subjects and patterns whose last message is kept. */
  lastValue: readonly string[];
  /** How much of it each shard keeps. */
  lastValueBounds: LastValueBounds;
  exchange: ExchangeMemory;
  budget: SharedArrayBuffer;
  /** Passwords known to be right. */
  passwords: SharedArrayBuffer;
  /** Connections by gateway. */
  load: SharedArrayBuffer;
  /** What threads count: made by `createTallies`, with rows as `tallyRows` says. */
  tallies: SharedArrayBuffer;
  settings: ShardSettings;
  streams: StreamSettings;
  /** The way from the monitor; null where there is none. */
  monitor: MessagePort | null;
  /** Whether somebody may log in to the system account. */
  hasSystem: boolean;
  /** Where spans of messages go; null where they have none. */
  spans: PostedSpanWay | null;
}

/** What the streams of a shard are started with. */
export interface StreamSettings {
  /** The ways to other shards, for what is decided on one. */
  ports: readonly MessagePort[];
  server: ServerFacts;
  memory: MemoryBounds;
  requestBytesMax: number;
  /** Where those on disk are; null when there are none. */
  place: DataPlace | null;
}

/** What was found on disk; or why that cannot be told. */
export interface OpenedStreams {
  configs: readonly StreamConfig[];
  error: string | null;
}

/** How connections are ended in lame duck mode; the duration includes the time of grace. */
export interface LameDuckOrder {
  info: ServerInfo;
  graceMs: number;
  durationMs: number;
}

/** What the main thread asks of a shard's. */
export type ShardCalls = {
  /** Answered once the thread takes connections. */
  /** @param pipe by which it is woken; null where there is none */
  ready(pipe: ShardPipe | null): void;
  /** An endpoint without a shard has come; answered when it will know what this thread wants. */
  join(peer: PeerMemory): void;
  /** An endpoint has gone; answered when it is forgotten and what was said of it before can be seen. */
  leave(endpoint: number): void;
  /** Whether nothing is on its way, and how much has been sequenced: the same twice, everywhere, is quiet. */
  quiet(): { quiet: boolean; sequenced: number };
  census(): ShardCensus;
  statistics(): { readonly summary: ShardSummary; readonly statistics: ShardStatistics };
  /** Opens the shard's streams that are on disk. */
  openStreams(): OpenedStreams;
  /** All streams that were opened, on all shards. */
  knowStreams(configs: readonly StreamConfig[]): void;
  /** On the shard that decides: makes the streams that are not there; answered with why one of them is not as it should be, or with null. */
  declareStreams(streams: readonly DeclaredStream[]): string | null;
  /** Files of the shard's journal, or of its buffered one, that may be checked; null without it. */
  sealedFiles(buffered: boolean): SealedFiles | null;
  /** What somebody who has checked one of them has found; answered with how much of it is damage. */
  onScrubbed(buffered: boolean, gaps: readonly Gap[]): number;
  /** Answered when all is on disk; nothing is stored any more. */
  closeStreams(): void;
  /** Ends connections gently; answered when none is left. */
  lameDuck(order: LameDuckOrder): void;
  /** Sends what is left and ends every connection; answered when none is left. */
  endAll(): void;
};

/** From the main thread to a shard's. */
export type ToShard =
  | CallMessage<ShardCalls>
  | { type: 'adopt'; descriptor: number; id: number; remoteAddress: string; listener: ListenerName }
  | { type: 'reload'; settings: ShardSettings }
  /** The log has taken what it was sent of the protocol. */
  | { type: 'traceTaken' }
  /** Read no more; carry out what was read. */
  | { type: 'stopReading' }
  | { type: 'exit' };

/** From a shard's thread to the main one. */
export type FromShard = AnswerMessage | ShardEvent | ShardEvents | TracedLines;

/** Lines of what connections and the broker say to each other; so many before them found no room. */
export interface TracedLines {
  readonly type: 'traced';
  readonly lines: readonly string[];
  readonly dropped: number;
}

/** Several events, in their order: a thread whose connections all end at once has thousands. */
export interface ShardEvents {
  readonly type: 'events';
  readonly events: readonly ShardEvent[];
}

/** Messages of a stream that damage has taken, as far as they were there. */
export interface LostMessages {
  readonly stream: string;
  readonly first: number;
  readonly last: number;
}

/** What the log is to hear of. */
export type ShardEvent =
  | {
      type: 'slowConsumer';
      connection: number;
      remoteAddress: string;
      name: string;
      pendingBytes: number;
      total: number;
    }
  /** A connection's subscriptions that were to get everything are waited for no longer. */
  | { type: 'blockSpent'; connection: number; remoteAddress: string; name: string }
  /** A group took nothing for longer than publishers may wait for it, or had no members for too long: messages for it are gone. */
  | { type: 'workLost'; why: 'dropped' | 'abandoned'; group: string; messages: number }
  /** Dead letters were not published: whoever named their subject may not publish there, or more came than could be. */
  | { type: 'lettersLost'; denied: number; lost: number; deniedSubject: string }
  /** So many events of the system account could not be told: more came at once than are kept. */
  | { type: 'systemEventsLost'; shard: number; lost: number }
  /** A disk has failed: streams on it refuse what is published to them. */
  | { type: 'diskFailed'; reason: string }
  | { type: 'unsaved'; reason: string }
  /** A part of a journal is not what was written. */
  | { type: 'damaged'; file: string; offset: number; streams: number; messages: number; lost: readonly LostMessages[] }
  /** `--memory-max` was reached, and what waited for this group held most of it. */
  | ({ type: 'workFull'; group: string; messages: number } & MemoryCause)
  /** `--memory-max` was reached, and this connection held most of it. */
  | ({ type: 'memoryFull'; connection: number; remoteAddress: string; name: string } & MemoryCause)
  | {
      type: 'losing';
      connection: number;
      remoteAddress: string;
      name: string;
      subject: string;
      policy: string;
      /** Messages lost and delivered in the last window. */
      dropped: number;
      delivered: number;
    }
  /** Last values had to make room for the first time, or one was too large to be kept. */
  | { type: 'lastValuesFull'; shard: number; kept: number; bytes: number; evicted: number; refused: number }
  /** A password could not be compared with its hash. */
  | { type: 'unverified'; reason: string }
  | {
      type: 'closed';
      connection: number;
      remoteAddress: string;
      name: string;
      /** Who it said to be; null when it has not. */
      user: string | null;
      reason: string;
      inBytes: number;
      outBytes: number;
      seconds: number;
    };
