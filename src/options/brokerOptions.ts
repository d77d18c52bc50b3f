export type Order = 'topic' | 'publisher';
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Everything a broker can be told, resolved: every field has a value that is allowed. `option-table.ts` explains each. */
export interface BrokerOptions {
  /** Where to listen; beyond loopback only with credentials or `noAuth`. Default: 127.0.0.1. */
  readonly host: string;
  /** Port for NATS clients; 0 is any free one. Default: 4222. */
  readonly port: number;
  /** Port for JSON lines; 0 is any free one. Default: none. */
  readonly jsonlPort: number | null;
  /** Port for WebSocket, with NATS or JSON lines inside; 0 is any free one. Default: none. */
  readonly wsPort: number | null;
  /** Let WebSocket clients compress what they send; what they are sent never is. Default: false. */
  readonly wsCompression: boolean;
  /** Web pages that may connect over WebSocket; by default all may. */
  readonly wsOrigins: readonly string[];
  /** Port for monitoring over HTTP; 0 is any free one. Default: none. */
  readonly httpPort: number | null;
  /** Where to listen for monitoring. Default: as `host` says. */
  readonly httpHost: string | null;
  /** The address clients are told, when it is not the one to listen on. Default: none. */
  readonly clientAdvertise: string | null;
  /** Name told to clients and shown in monitoring. Default: shardcast- and the host name. */
  readonly serverName: string;
  /** Path of a file that gets the addresses as JSON once everything listens. Default: none. */
  readonly portsFile: string | null;

  /** Worker threads. Default: cores - 1, at least 1. */
  readonly shards: number;
  /** `topic`, the default: one total order for each topic. `publisher`: the order of each publisher, as NATS has it. */
  readonly order: Order;
  /** Pin each worker to a core (Linux). Default: false. */
  readonly pin: boolean;
  /** Publishing to a topic that was not declared is an error. Default: false. */
  readonly strict: boolean;
  /** Topics and patterns that refuse publishes while they are full, instead of holding publishers back. Default: none. */
  readonly refuse: readonly string[];
  /** Topics and patterns that are declared, for `strict`. Default: none. */
  readonly topics: readonly string[];
  /** Subjects and patterns whose last message is kept for subscribers that ask. Default: none. */
  readonly lastValue: readonly string[];
  /** Most last messages that each shard keeps; the one updated least recently makes room. Default: 1,000,000. */
  readonly lastValueMax: number;
  /**
   * Most memory for the last messages of each shard, 256 bytes of bookkeeping a subject included. Default:
   * 268,435,456 bytes.
   */
  readonly lastValueMaxBytes: number;
  /** Most memory for streams, their messages and what keeps account of them. Default: 1,073,741,824 bytes. */
  readonly streamMemoryBytes: number;
  /** Of that, most for the subjects of messages in streams. Default: 536,870,912 bytes. */
  readonly streamSubjectBytes: number;
  /** Of that, most for ids of messages (`Nats-Msg-Id`). Default: 536,870,912 bytes. */
  readonly streamIdBytes: number;
  /** Most memory of each shard for requests about streams that are not answered yet, and as much for answers. Default: 67,108,864 bytes. */
  readonly streamRequestBytes: number;
  /** Directory for streams on disk, made when it is not there; without it streams are in memory only. Default: none. */
  readonly data: string | null;
  /** Directory for the journals of streams on disk, where a disk of its own is to take them. Default: in that of `data`. */
  readonly journalDir: string | null;
  /** `SUBJECT[=NAME]`: what is published there is kept in a stream on disk, made when it is not there. Default: none. */
  readonly durable: readonly string[];
  /** When a stream that `durable` makes is brought to disk: `always` (before a publish is acknowledged), `interval:<ms>` or `never`. Default: `always`. */
  readonly sync: string;
  /** JetStream domain: the API answers below `$JS.<domain>.API`, too, and says the name. Default: none. */
  readonly domain: string | null;

  /** User every client must give; needs `pass`. Default: none. */
  readonly user: string | null;
  /** Password, or its bcrypt hash. Default: none. */
  readonly pass: string | null;
  /** Token every client must give, or its bcrypt hash; instead of `user` and `pass`. Default: none. */
  readonly token: string | null;
  /** User of the system account, who hears what the broker tells of itself below `$SYS` and may ask it; needs `sysPass`, and `user` or `token` for all others. Default: none. */
  readonly sysUser: string | null;
  /** Password of that user, or its bcrypt hash. Default: none. */
  readonly sysPass: string | null;
  /** Allow a host beyond loopback without credentials: anyone who reaches it may do anything. Default: false. */
  readonly noAuth: boolean;

  /** Longest protocol line from a client. Default: 4,096 bytes. */
  readonly maxControlLineBytes: number;
  /** Largest message, headers included. Default: 1,048,576 bytes. */
  readonly maxPayloadBytes: number;
  /** Most that may wait for one slow connection before it is closed. Default: 67,108,864 bytes. */
  readonly maxPendingBytes: number;
  /**
   * What waits for each of the subscribers of a topic when it counts as full: its publishers wait, or are refused.
   * Default: 1,048,576 bytes.
   */
  readonly topicBufferBytes: number;
  /** Most connections at a time. Default: 65,536. */
  readonly maxConnections: number;
  /** Most subscriptions of one connection; 0 is no limit. Default: 0. */
  readonly maxSubscriptions: number;
  readonly subscriptionMemoryBytes: number;
  /** Most that may be queued in all; above it publishers wait. Default: 1,073,741,824 bytes. */
  readonly memoryMaxBytes: number;
  /**
   * How long publishers of a topic are held up in any minute for network clients that ask for it (`block`, `prefetch`): then
   * nobody waits for these any more. 0 is never, a minute is without limit. Default: 2,000 ms.
   */
  readonly blockMaxMs: number;
  /** Let network clients `block` on patterns that begin with a wildcard. Default: false. */
  readonly allowBlock: boolean;
  /** Drop messages for a subscriber that lags, in place of holding up their publishers for a moment. Default: false. */
  readonly noFastProducerStall: boolean;
  /** Size of the ring between two threads; 0 is automatic. Default: 0 (automatic). */
  readonly laneBytes: number;

  /** How long a client may take to authenticate. Default: 2,000 ms. */
  readonly authTimeoutMs: number;
  /** How often a silent client is pinged. Default: 120,000 ms. */
  readonly pingIntervalMs: number;
  /** Unanswered pings after which a connection is stale. Default: 2. */
  readonly pingMax: number;
  /** How long a connection may take none of its data before it is closed. Default: 10,000 ms. */
  readonly writeDeadlineMs: number;
  /**
   * A subscription that loses more than 1% of its messages is named in the log once in so much time. Default: 10,000
   * ms.
   */
  readonly lossWindowMs: number;
  /**
   * Hold deliveries back for so many microseconds (rounded up to a timer tick when idle) to send more of them at
   * once. Default: 0 µs.
   */
  readonly lingerUs: number;
  /** How long lame duck mode takes to close the connections, its grace period included. Default: 120,000 ms. */
  readonly lameDuckDurationMs: number;
  /** How long lame duck mode waits before it closes the first one. Default: 10,000 ms. */
  readonly lameDuckGraceMs: number;
  /** How long a stop may wait for clients to take what is theirs. Default: 5,000 ms. */
  readonly drainTimeoutMs: number;
  /** In how much time all that is on disk is read once and checked, in the background; 0 is never. Default: 604,800,000 ms, a week. */
  readonly scrubPeriodMs: number;

  /**
   * Export spans of messages whose `traceparent` says that their publisher's span is recorded (OpenTelemetry, OTLP over
   * HTTP). Needs packages that are installed beside this one. Default: false.
   */
  readonly otel: boolean;
  /** Where a collector takes them, such as http://127.0.0.1:4318. Default: as `OTEL_EXPORTER_OTLP_ENDPOINT` says. */
  readonly otelEndpoint: string | null;
  /** Most messages in a second that have spans. Default: 100. */
  readonly otelRate: number;

  /** From this level on it logs; `silent` logs nothing. Default: info. */
  readonly logLevel: LogLevel;
  /** Whether the log has what is logged at level debug, whatever `logLevel` is. */
  readonly debug: boolean;
  /** Whether the log shows what connections and the broker say to each other; `traceVerbose` those of the system account, too. */
  readonly trace: boolean;
  readonly traceVerbose: boolean;
  /** What it shows of a payload at most, in bytes; 0 for 64 KiB. */
  readonly maxTracedMsgLen: number;
  /** A file to log to instead of standard output; null for that. In process only where no logger is given. Default: null. */
  readonly logFile: string | null;
  /** A file for the process id, of `shardcast serve` alone. Default: null. */
  readonly pidFile: string | null;
  /** Log lines for people instead of JSON. Default: false. */
  readonly pretty: boolean;
}
