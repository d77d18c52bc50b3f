/** A consumer's configuration in NATS's names and units: durations in nanoseconds, -1 is no limit. What is left out is as the server has it. */
export interface ConsumerConfigJson {
  readonly name?: string;
  readonly durable_name?: string;
  readonly description?: string;
  readonly deliver_policy?: string;
  readonly opt_start_seq?: number;
  readonly opt_start_time?: string;
  readonly ack_policy?: string;
  readonly ack_wait?: number;
  readonly max_deliver?: number;
  readonly backoff?: readonly number[];
  readonly filter_subject?: string;
  readonly filter_subjects?: readonly string[];
  readonly replay_policy?: string;
  readonly rate_limit_bps?: number;
  readonly sample_freq?: string;
  readonly max_waiting?: number;
  readonly max_ack_pending?: number;
  readonly flow_control?: boolean;
  readonly headers_only?: boolean;
  readonly max_batch?: number;
  readonly max_expires?: number;
  readonly max_bytes?: number;
  readonly deliver_subject?: string;
  readonly deliver_group?: string;
  readonly idle_heartbeat?: number;
  readonly inactive_threshold?: number;
  readonly mem_storage?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly pause_until?: string;
  readonly priority_groups?: readonly string[];
  readonly priority_policy?: string;
  readonly priority_timeout?: number;
}

/** A place in what was delivered, and in the stream. */
export interface ConsumerPositionJson {
  readonly consumer_seq: number;
  readonly stream_seq: number;
  readonly last_active?: string;
}

/** What the API tells of a consumer. */
export interface ConsumerInfoJson {
  readonly stream_name: string;
  readonly name: string;
  readonly created: string;
  readonly config: ConsumerConfigJson;
  readonly delivered: ConsumerPositionJson;
  readonly ack_floor: ConsumerPositionJson;
  readonly num_ack_pending: number;
  readonly num_redelivered: number;
  readonly num_waiting: number;
  readonly num_pending: number;
  readonly push_bound?: boolean;
  readonly paused?: boolean;
  readonly pause_remaining?: number;
}

/** What is asked of a consumer at one go. */
export interface PullRequestJson {
  readonly batch: number;
  readonly expires: number;
  readonly idle_heartbeat?: number;
  readonly no_wait?: boolean;
  readonly max_bytes?: number;
}
