import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import { heapPart } from '../base/heapPart.js';
import { lingerUsMax } from '../base/limits.js';
import { readSyncMs, syncTexts } from '../base/syncPolicy.js';
import type { BrokerOptions } from './brokerOptions.js';
import { readDurable } from './durableSubject.js';
import {
  bytes,
  choice,
  duration,
  list,
  type OptionKind,
  optional,
  port,
  ringBytes,
  text,
  whole,
  yesOrNo,
} from './optionKinds.js';
import {
  isAdvertised,
  isCredential,
  isDomainName,
  isHost,
  isHttpUrl,
  isOrigin,
  isSecret,
  isSubject,
  isWord,
} from './optionTexts.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export type OptionName = keyof BrokerOptions;

/** One option. The flag, the environment variable, the names in a config file and the help all follow from it. */
export interface OptionSpec<T> {
  /** In kebab case. `--flag`, `SHARDCAST_FLAG` and `flag` in a file (as kebab, snake or camel case) are this name. */
  readonly flag: string;
  readonly short?: string;
  /** Further names in a config file, in snake case: those of nats-server where they differ. */
  readonly aliases?: readonly string[];
  readonly group: 'Network' | 'Topics and threads' | 'Security' | 'Limits' | 'Times' | 'Logging';
  readonly kind: OptionKind<T>;
  readonly fallback: () => T;
  readonly help: string;
  /** Whether a running broker can take a new value (SIGHUP). */
  readonly reloadable: boolean;
  /** Never shown in errors or logs. */
  readonly secret?: boolean;
}

const path = (placeholder: string): OptionKind<string> => {
  const name = text(placeholder, 'a path');
  const absolute = (value: string | undefined) => (value === undefined ? undefined : resolve(value));
  return { ...name, parse: (value) => absolute(name.parse(value)), check: (value) => absolute(name.check(value)) };
};

/** Every option of the broker: the only place that names one. */
export const OPTIONS: { readonly [K in OptionName]: OptionSpec<BrokerOptions[K]> } = {
  host: {
    flag: 'host',
    short: 'a',
    aliases: ['net', 'addr'],
    group: 'Network',
    kind: text('HOST', 'a host name or an address', isHost),
    fallback: () => '127.0.0.1',
    help: 'where to listen; beyond loopback only with credentials or --no-auth',
    reloadable: false,
  },
  port: {
    flag: 'port',
    short: 'p',
    group: 'Network',
    kind: port(),
    fallback: () => 4222,
    help: 'port for NATS clients; 0 or -1 is any free one',
    reloadable: false,
  },
  jsonlPort: {
    flag: 'jsonl-port',
    group: 'Network',
    kind: optional(port()),
    fallback: () => null,
    help: 'port for JSON lines; 0 or -1 is any free one',
    reloadable: false,
  },
  wsPort: {
    flag: 'ws-port',
    group: 'Network',
    kind: optional(port()),
    fallback: () => null,
    help: 'port for WebSocket, with NATS or JSON lines inside; 0 or -1 is any free one',
    reloadable: false,
  },
  wsCompression: {
    flag: 'ws-compression',
    group: 'Network',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'let WebSocket clients compress what they send; what they are sent never is',
    reloadable: true,
  },
  wsOrigins: {
    flag: 'ws-origin',
    aliases: ['ws_origins'],
    group: 'Network',
    kind: list(text('ORIGIN', 'the origin of a web page, such as https://example.com', isOrigin)),
    fallback: () => [],
    help: 'a web page that may connect over WebSocket, all others then may not; may be repeated',
    reloadable: true,
  },
  httpPort: {
    flag: 'http-port',
    short: 'm',
    aliases: ['monitor_port'],
    group: 'Network',
    kind: optional(port()),
    fallback: () => null,
    help: "port for monitoring over HTTP, with nats-server's endpoints; 0 or -1 is any free one",
    reloadable: false,
  },
  httpHost: {
    flag: 'http-host',
    group: 'Network',
    kind: optional(text('HOST', 'a host name or an address', isHost)),
    fallback: () => null,
    help: 'where to listen for monitoring; by default as --host says',
    reloadable: false,
  },
  clientAdvertise: {
    flag: 'client-advertise',
    group: 'Network',
    kind: optional(text('HOST:PORT', 'a host, or a host and a port', isAdvertised)),
    fallback: () => null,
    help: 'the address clients are told, when it is not the one to listen on',
    reloadable: false,
  },
  serverName: {
    flag: 'server-name',
    short: 'n',
    aliases: ['name'],
    group: 'Network',
    kind: text('NAME', 'a name without spaces', isWord),
    fallback: () => `shardcast-${hostname().replace(/[^\w.-]/g, '') || 'server'}`,
    help: 'name told to clients and shown in monitoring',
    reloadable: false,
  },
  portsFile: {
    flag: 'ports-file',
    group: 'Network',
    kind: optional(path('FILE')),
    fallback: () => null,
    help: 'write the addresses as JSON to FILE once everything listens',
    reloadable: false,
  },
  shards: {
    flag: 'shards',
    group: 'Topics and threads',
    kind: whole(1, 256),
    fallback: () => Math.min(256, Math.max(1, availableParallelism() - 1)),
    help: 'worker threads; by default one fewer than the cores, at least 1',
    reloadable: false,
  },
  order: {
    flag: 'order',
    group: 'Topics and threads',
    kind: choice('topic', 'publisher'),
    fallback: () => 'topic',
    help: 'topic: one total order for each topic; publisher: the order of each publisher, as NATS has it',
    reloadable: false,
  },
  pin: {
    flag: 'pin',
    group: 'Topics and threads',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'pin each worker to a core (Linux)',
    reloadable: false,
  },
  strict: {
    flag: 'strict',
    group: 'Topics and threads',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'publishing to a topic that was not declared is an error',
    reloadable: true,
  },
  topics: {
    flag: 'topic',
    aliases: ['topics'],
    group: 'Topics and threads',
    kind: list(text('SUBJECT', 'a subject, in which * and > may stand for tokens', isSubject)),
    fallback: () => [],
    help: 'declare a topic for --strict; may be repeated',
    reloadable: true,
  },
  refuse: {
    flag: 'refuse',
    group: 'Topics and threads',
    kind: list(text('SUBJECT', 'a subject, in which * and > may stand for tokens', isSubject)),
    fallback: () => [],
    help: 'refuse what is published to such a topic while it is full, instead of holding its publishers back; may be repeated',
    reloadable: true,
  },
  lastValue: {
    flag: 'last-value',
    group: 'Topics and threads',
    kind: list(text('SUBJECT', 'a subject, in which * and > may stand for tokens', isSubject)),
    fallback: () => [],
    help: 'keep the last message of each of these subjects for subscribers that ask; may be repeated',
    reloadable: false,
  },
  data: {
    flag: 'data',
    aliases: ['store_dir'],
    group: 'Topics and threads',
    kind: optional(path('DIR')),
    fallback: () => null,
    help: 'directory for streams on disk, made when it is not there; without it streams are in memory only',
    reloadable: false,
  },
  journalDir: {
    flag: 'journal-dir',
    group: 'Topics and threads',
    kind: optional(path('DIR')),
    fallback: () => null,
    help: 'directory for the journals of streams on disk, where a disk of its own is to take them; by default in that of --data',
    reloadable: false,
  },
  durable: {
    flag: 'durable',
    group: 'Topics and threads',
    kind: list(
      text('SUBJECT[=NAME]', 'a subject, and perhaps the name of a stream', (value) => readDurable(value) !== null),
    ),
    fallback: () => [],
    help: 'keep what is published to this subject in a stream on disk, which is made when it is not there; may be repeated',
    reloadable: false,
  },
  sync: {
    flag: 'sync',
    group: 'Topics and threads',
    kind: text('WHEN', syncTexts.join(', '), (value) => readSyncMs(value) !== null),
    fallback: () => 'always',
    help: 'when a stream that --durable makes is brought to disk: always before a publish is acknowledged, interval:MS or never',
    reloadable: false,
  },
  domain: {
    flag: 'domain',
    aliases: ['js_domain'],
    group: 'Topics and threads',
    kind: optional(text('NAME', 'a name without blanks, dots and wildcards, and not API', isDomainName)),
    fallback: () => null,
    help: 'JetStream domain: the API answers below $JS.NAME.API, too, and says the name',
    reloadable: false,
  },
  user: {
    flag: 'user',
    aliases: ['username'],
    group: 'Security',
    kind: optional(text('NAME', 'a name that is not empty', isCredential)),
    fallback: () => null,
    help: 'user every client must give; needs --pass',
    reloadable: true,
  },
  pass: {
    flag: 'pass',
    aliases: ['password'],
    group: 'Security',
    kind: optional(text('SECRET', 'a password, or a whole bcrypt hash of 60 characters', isSecret)),
    fallback: () => null,
    help: 'password, or its bcrypt hash; safer in the environment or a file than here',
    reloadable: true,
    secret: true,
  },
  token: {
    flag: 'token',
    group: 'Security',
    kind: optional(text('SECRET', 'a token, or a whole bcrypt hash of 60 characters', isSecret)),
    fallback: () => null,
    help: 'token every client must give, or its bcrypt hash; instead of --user and --pass',
    reloadable: true,
    secret: true,
  },
  sysUser: {
    flag: 'sys-user',
    group: 'Security',
    kind: optional(text('NAME', 'a name that is not empty', isCredential)),
    fallback: () => null,
    help: 'user who hears and asks what the broker tells of itself below $SYS; needs --sys-pass, and --user or --token for all others',
    reloadable: false,
  },
  sysPass: {
    flag: 'sys-pass',
    group: 'Security',
    kind: optional(text('SECRET', 'a password, or a whole bcrypt hash of 60 characters', isSecret)),
    fallback: () => null,
    help: 'password of --sys-user, or its bcrypt hash; safer in the environment or a file than here',
    reloadable: true,
    secret: true,
  },

  noAuth: {
    flag: 'no-auth',
    group: 'Security',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'allow a host beyond loopback without credentials: anyone who reaches it may do anything',
    reloadable: true,
  },
  maxControlLineBytes: {
    flag: 'max-control-line',
    group: 'Limits',
    kind: bytes(128, 63 * KIB),
    fallback: () => 4 * KIB,
    help: 'longest protocol line from a client',
    reloadable: true,
  },
  maxPayloadBytes: {
    flag: 'max-payload',
    group: 'Limits',
    kind: bytes(1, 64 * MIB),
    fallback: () => MIB,
    help: 'largest message, headers included',
    reloadable: true,
  },
  maxPendingBytes: {
    flag: 'max-pending',
    group: 'Limits',
    kind: bytes(KIB, 16 * GIB),
    fallback: () => 64 * MIB,
    help: 'most that may wait for one slow connection before it is closed',
    reloadable: true,
  },
  topicBufferBytes: {
    flag: 'topic-buffer',
    group: 'Limits',
    kind: bytes(KIB, 1 * GIB),
    fallback: () => 1 * MIB,
    help: 'what waits for each of the subscribers of a topic when it counts as full: its publishers wait, or are refused',
    reloadable: true,
  },
  maxConnections: {
    flag: 'max-connections',
    aliases: ['max_conn'],
    group: 'Limits',
    kind: whole(1, 10_000_000),
    fallback: () => 65_536,
    help: 'most connections at a time',
    reloadable: true,
  },
  maxSubscriptions: {
    flag: 'max-subscriptions',
    aliases: ['max_subs'],
    group: 'Limits',
    kind: whole(0, 2 ** 31 - 1),
    fallback: () => 0,
    help: 'most subscriptions of one connection; 0 is no limit',
    reloadable: true,
  },
  subscriptionMemoryBytes: {
    flag: 'subscription-memory',
    group: 'Limits',
    kind: bytes(MIB, 64 * GIB),
    fallback: () => heapPart(1 / 4),
    help: 'most that subscriptions may take of the heap of a thread: one more is refused',
    reloadable: true,
  },
  memoryMaxBytes: {
    flag: 'memory-max',
    group: 'Limits',
    kind: bytes(MIB, 1024 * GIB),
    fallback: () => GIB,
    help: 'most that may be held for clients in all; above it those that hold most are ended, and publishers wait meanwhile',
    reloadable: true,
  },
  lastValueMax: {
    flag: 'last-value-max',
    group: 'Limits',
    kind: whole(1, 100_000_000),
    fallback: () => 1_000_000,
    help: 'most last messages that each shard keeps; the one updated least recently makes room',
    reloadable: false,
  },
  lastValueMaxBytes: {
    flag: 'last-value-memory',
    group: 'Limits',
    kind: bytes(64 * KIB, 64 * GIB),
    fallback: () => 256 * MIB,
    help: 'most memory for the last messages of each shard, 256 bytes of bookkeeping a subject included',
    reloadable: false,
  },
  streamMemoryBytes: {
    flag: 'stream-memory',
    aliases: ['max_memory_store'],
    group: 'Limits',
    kind: bytes(MIB, 1024 * GIB),
    fallback: () => GIB,
    help: 'most memory for streams, their messages and what keeps account of them; above it what is published to them is refused',
    reloadable: false,
  },
  streamSubjectBytes: {
    flag: 'stream-subjects-memory',
    group: 'Limits',
    kind: bytes(64 * KIB, 1024 * GIB),
    fallback: () => 512 * MIB,
    help: 'of that, most for the subjects of messages; above it what is published to a stream under a new one is refused',
    reloadable: false,
  },
  streamIdBytes: {
    flag: 'stream-ids-memory',
    group: 'Limits',
    kind: bytes(64 * KIB, 1024 * GIB),
    fallback: () => 512 * MIB,
    help: 'of that, most for ids of messages (Nats-Msg-Id); above it what is published to a stream with one is refused',
    reloadable: false,
  },
  streamRequestBytes: {
    flag: 'stream-requests-memory',
    group: 'Limits',
    kind: bytes(64 * KIB, 64 * GIB),
    fallback: () => 64 * MIB,
    help: 'most memory of each shard for requests about streams that wait, and as much for answers; above it requests are refused',
    reloadable: false,
  },
  blockMaxMs: {
    flag: 'block-max',
    group: 'Limits',
    kind: duration(0, MINUTE),
    fallback: () => 2 * SECOND,
    help: 'how long clients that ask for it (block, prefetch) may hold up a topic in any minute; 0 is never, 1m without limit',
    reloadable: true,
  },
  allowBlock: {
    flag: 'allow-block',
    group: 'Limits',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'let clients hold up publishers (block) by patterns that begin with a wildcard',
    reloadable: true,
  },
  noFastProducerStall: {
    flag: 'no-fast-producer-stall',
    group: 'Limits',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'never hold publishers up for a subscriber that lags: drop what comes for it instead',
    reloadable: true,
  },
  laneBytes: {
    flag: 'lane-size',
    group: 'Limits',
    kind: ringBytes(4 * KIB, MIB),
    fallback: () => 0,
    help: 'size of the ring between two threads; 0 is automatic',
    reloadable: false,
  },
  authTimeoutMs: {
    flag: 'auth-timeout',
    group: 'Times',
    kind: duration(1, HOUR),
    fallback: () => 2 * SECOND,
    help: 'how long a client may take to authenticate',
    reloadable: true,
  },
  pingIntervalMs: {
    flag: 'ping-interval',
    group: 'Times',
    kind: duration(1, 24 * HOUR),
    fallback: () => 2 * MINUTE,
    help: 'how often a silent client is pinged',
    reloadable: true,
  },
  pingMax: {
    flag: 'ping-max',
    group: 'Times',
    kind: whole(1, 1000),
    fallback: () => 2,
    help: 'unanswered pings after which a connection is stale',
    reloadable: true,
  },
  writeDeadlineMs: {
    flag: 'write-deadline',
    group: 'Times',
    kind: duration(1, HOUR),
    fallback: () => 10 * SECOND,
    help: 'how long a connection may take none of its data before it is closed',
    reloadable: true,
  },
  lossWindowMs: {
    flag: 'loss-window',
    group: 'Times',
    kind: duration(1, 24 * HOUR),
    fallback: () => 10 * SECOND,
    help: 'a subscription that loses more than 1% of its messages is named in the log once in so much time',
    reloadable: true,
  },
  lingerUs: {
    flag: 'linger-us',
    group: 'Times',
    kind: whole(0, lingerUsMax),
    fallback: () => 0,
    help: 'hold deliveries back for so many microseconds (rounded up to a timer tick when idle) to send more of them at once',
    reloadable: true,
  },
  lameDuckDurationMs: {
    flag: 'lame-duck-duration',
    group: 'Times',
    kind: duration(1, 24 * HOUR),
    fallback: () => 2 * MINUTE,
    help: 'how long lame duck mode (SIGUSR2) takes to close the connections, its grace period included',
    reloadable: true,
  },
  lameDuckGraceMs: {
    flag: 'lame-duck-grace-period',
    group: 'Times',
    kind: duration(0, 24 * HOUR),
    fallback: () => 10 * SECOND,
    help: 'how long lame duck mode waits before it closes the first one',
    reloadable: true,
  },
  drainTimeoutMs: {
    flag: 'drain-timeout',
    group: 'Times',
    kind: duration(0, HOUR),
    fallback: () => 5 * SECOND,
    help: 'how long a stop may wait for clients to take what is theirs',
    reloadable: true,
  },
  scrubPeriodMs: {
    flag: 'scrub-period',
    group: 'Times',
    kind: duration(0, 24 * DAY),
    fallback: () => 7 * DAY,
    help: 'in how much time all that is on disk is read once and checked, in the background; 0 is never',
    reloadable: false,
  },
  otel: {
    flag: 'otel',
    group: 'Logging',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'export OpenTelemetry spans of messages whose traceparent is sampled; the packages it needs are named where they are missing',
    reloadable: false,
  },
  otelEndpoint: {
    flag: 'otel-endpoint',
    group: 'Logging',
    kind: optional(text('URL', 'an address such as http://127.0.0.1:4318', isHttpUrl)),
    fallback: () => null,
    help: 'where --otel exports to (OTLP over HTTP); by default as OTEL_EXPORTER_OTLP_ENDPOINT says, else http://localhost:4318',
    reloadable: false,
  },
  otelRate: {
    flag: 'otel-rate',
    group: 'Logging',
    kind: whole(1, 10_000),
    fallback: () => 100,
    help: 'most messages in a second that have spans',
    reloadable: false,
  },
  logLevel: {
    flag: 'log-level',
    group: 'Logging',
    kind: choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    fallback: () => 'info',
    help: 'fatal, error, warn, info, debug, trace or silent',
    reloadable: true,
  },
  debug: {
    flag: 'debug',
    short: 'D',
    group: 'Logging',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'log what is logged at level debug',
    reloadable: true,
  },
  trace: {
    flag: 'trace',
    short: 'V',
    group: 'Logging',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'log what clients and the broker say to each other; -DV is -D -V',
    reloadable: true,
  },
  traceVerbose: {
    flag: 'trace-verbose',
    group: 'Logging',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'the same, of the system account too; -VV and -DVV say so',
    reloadable: true,
  },
  maxTracedMsgLen: {
    flag: 'max-traced-msg-len',
    group: 'Logging',
    kind: bytes(0, Number.MAX_SAFE_INTEGER),
    fallback: () => 0,
    help: 'what --trace shows of a payload at most, 0 for 64 KiB',
    reloadable: true,
  },
  logFile: {
    flag: 'log-file',
    short: 'l',
    aliases: ['logfile', 'log'],
    group: 'Logging',
    kind: optional(path('FILE')),
    fallback: () => null,
    help: 'a file to log to instead of standard output; SIGUSR1 has it opened anew',
    reloadable: false,
  },
  pidFile: {
    flag: 'pid',
    short: 'P',
    aliases: ['pid_file', 'pidfile'],
    group: 'Logging',
    kind: optional(path('FILE')),
    fallback: () => null,
    help: 'a file for the process id, removed at the end',
    reloadable: false,
  },
  pretty: {
    flag: 'pretty',
    group: 'Logging',
    kind: yesOrNo(),
    fallback: () => false,
    help: 'log lines for people instead of JSON',
    reloadable: false,
  },
};

/** The names of all options, in the table's order. */
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** The kind of an option whose name is only known when running, so that its type is lost. */
export function optionKind(name: OptionName): OptionKind<unknown> {
  return OPTIONS[name].kind as OptionKind<unknown>;
}

/** The environment variable of an option. */
export function environmentName(name: OptionName): string {
  return `SHARDCAST_${OPTIONS[name].flag.replaceAll('-', '_').toUpperCase()}`;
}

/** The name of an option in a config file. */
export function fileName(name: OptionName): string {
  return OPTIONS[name].flag.replaceAll('-', '_');
}
