/** A stream's configuration in NATS's names and units: durations in nanoseconds, -1 is no limit. What is left out is as the server has it. */
export interface StreamConfigJson {
  readonly name: string;
  readonly description?: string;
  readonly subjects?: readonly string[];
  readonly retention?: string;
  readonly storage?: string;
  readonly discard?: string;
  readonly discard_new_per_subject?: boolean;
  readonly max_msgs?: number;
  readonly max_bytes?: number;
  readonly max_age?: number;
  readonly max_msg_size?: number;
  readonly max_msgs_per_subject?: number;
  readonly duplicate_window?: number;
  readonly first_seq?: number;
  readonly no_ack?: boolean;
  readonly allow_direct?: boolean;
  readonly allow_rollup_hdrs?: boolean;
  readonly allow_msg_ttl?: boolean;
  readonly deny_delete?: boolean;
  readonly deny_purge?: boolean;
  readonly sealed?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a stream holds. Times are RFC 3339; of an empty stream they are `0001-01-01T00:00:00Z`. */
export interface StreamStateJson {
  readonly messages: number;
  readonly bytes: number;
  readonly first_seq: number;
  readonly first_ts: string;
  readonly last_seq: number;
  readonly last_ts: string;
  readonly num_subjects?: number;
  readonly num_deleted?: number;
  readonly consumer_count: number;
}

/** What the API tells of a stream. */
export interface StreamInfoJson {
  readonly config: StreamConfigJson;
  readonly created: string;
  readonly state: StreamStateJson;
}

/** Which message of a stream is asked for: by one of the first three, or by a subject from a sequence or a time on. */
export interface MessageSelector {
  readonly seq?: number;
  readonly start_time?: string;
  readonly last_by_subj?: string;
  readonly next_by_subj?: string;
}

/** A message as `STREAM.MSG.GET` shows it; headers and payload are in base64, and missing where there are none. */
export interface StoredMessageJson {
  readonly subject: string;
  readonly seq: number;
  readonly time: string;
  readonly hdrs?: string;
  readonly data?: string;
}

/** Which messages go: all without any of these; below a sequence, or all but the last so many, of all subjects or of a pattern. */
export interface PurgeSelector {
  readonly filter?: string;
  readonly seq?: number;
  readonly keep?: number;
}
