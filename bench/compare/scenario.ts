/** Which subjects a scenario uses and who publishes and subscribes to which. All subjects of a run have one length. */
export type Topics =
  /** One subject for everybody. */
  | { readonly kind: 'one' }
  /** Each message goes to the next of `count` subjects; every subscriber subscribes to each of them by name. */
  | { readonly kind: 'rotating'; readonly count: number }
  /** Publisher i and subscriber i use subject `i mod count`. */
  | { readonly kind: 'per-pair'; readonly count: number }
  /** Each message goes to the next of `count` subjects; every subscriber has one wildcard subscription. */
  | { readonly kind: 'wildcard'; readonly count: number }
  /** As `rotating`, but every subscriber subscribes to `perSubscriber` subjects drawn at random (seeded). */
  | { readonly kind: 'random-sets'; readonly count: number; readonly perSubscriber: number };

/** What Shardcast must show in a scenario. Ratios are Shardcast / peer, of medians over the rounds. */
export interface Bars {
  readonly against?: string;
  readonly throughputRatioMin?: number;
  readonly cpuRatioMax?: number;
  readonly p50RatioMax?: number;
  readonly p99RatioMax?: number;
  readonly peakMemoryMbMax?: number;
  readonly publishedPerSecondMin?: number;
  readonly deliveredPerSecondMin?: number;
  readonly p99MsMax?: number;
  /** What is left open after every client of an idle scenario has gone, in file descriptors. */
  readonly descriptorsLeftMax?: number;
}

interface ScenarioBase {
  /** Short, safe to type in a shell without quotes. */
  readonly id: string;
  readonly name: string;
  /** Flags for Shardcast's `serve` in place of `--shards 1`. */
  readonly shardcastArgs?: readonly string[];
  readonly bars?: Bars;
}

/** Publishers and subscribers that exchange messages for a fixed time. */
export interface LoadScenario extends ScenarioBase {
  readonly kind: 'load';
  readonly publishers: number;
  readonly subscribers: number;
  readonly topics: Topics;
  readonly payloadBytes: number;
  /** Messages published per second by all publishers together; absent: as fast as the sockets take them. */
  readonly ratePerSecond?: number;
  /** Length of the measured window; default `--seconds`. */
  readonly seconds?: number;
}

/** Connections that do nothing: what one costs, and what remains when they are gone. */
export interface IdleScenario extends ScenarioBase {
  readonly kind: 'idle';
  readonly connections: number;
  /** Subscriptions of each connection, each to a subject of its own. */
  readonly subscriptionsEach: number;
  readonly holdSeconds: number;
}

/** Clients that ask, each with so many requests under way, and the members of one queue group who answer. */
export interface RequestScenario extends ScenarioBase {
  readonly kind: 'requests';
  readonly clients: number;
  readonly inFlight: number;
  readonly workers: number;
  /** Answers to each request, all of the member that has got it. */
  readonly answers: number;
  readonly payloadBytes: number;
  /** What the clients' inboxes begin with. */
  readonly inboxPrefix: string;
}

export type Scenario = LoadScenario | IdleScenario | RequestScenario;
