import type { StreamConfig } from '../../src/stream/streamConfig.js';
import type { SubjectFilter } from '../../src/stream/subjectFilter.js';

export interface ModelMessage {
  readonly sequence: number;
  readonly timeUs: number;
  readonly subject: string;
  readonly headerBytes: number;
  readonly payloadBytes: number;
}

export interface ModelOutcome {
  readonly sequence: number;
  readonly duplicate: boolean;
  readonly error: string | null;
}

type Headers = Readonly<Record<string, string>>;

/** What a stream is to do, in the plainest way: a list of its messages, looked through for every question. */
export class StreamModel {
  messages: ModelMessage[] = [];
  readonly #config: StreamConfig;
  #ids: { id: string; sequence: number; timeUs: number }[] = [];
  /** When messages go that say so themselves: those that never do, not at all. */
  readonly #expiresUs = new Map<number, number>();
  #next: number;

  constructor(config: StreamConfig) {
    this.#config = config;
    this.#next = Number(config.first_seq) || 1;
  }

  get lastSequence(): number {
    return this.#next - 1;
  }

  get firstSequence(): number {
    return this.messages[0]?.sequence ?? (this.#next === 1 ? 0 : this.#next);
  }

  get bytes(): number {
    return this.messages.reduce((sum, message) => sum + bytesOf(message), 0);
  }

  publish(subject: string, headers: Headers, headerBytes: number, payloadBytes: number, timeUs: number): ModelOutcome {
    const message = { sequence: this.#next, timeUs, subject, headerBytes, payloadBytes };
    if (headerBytes + payloadBytes > this.#max('max_msg_size')) return refused('message size exceeds maximum allowed');
    const ttl = headers['Nats-TTL'];
    const livesUs = lifetimesUs[ttl ?? ''];
    if (livesUs !== undefined && !this.#config.allow_msg_ttl) return refused('per-message TTL is disabled');
    const wrong = this.#wrongSequence(subject, headers);
    if (wrong !== null) return refused(wrong);
    const id = headers['Nats-Msg-Id'];
    const seen = this.#ids.findLast((each) => each.id === id && each.timeUs >= timeUs - this.#us('duplicate_window'));
    if (seen !== undefined) return { sequence: seen.sequence, duplicate: true, error: null };
    const rollup = headers['Nats-Rollup'];
    if (rollup !== undefined && !this.#config.allow_rollup_hdrs) return refused('rollup not permitted');
    const isNoTtl = ttl !== undefined && livesUs === undefined && this.#config.retention !== 'interest';
    if (isNoTtl) return refused('invalid per-message TTL');
    const error = this.#tooMuch(message, rollup !== undefined);
    if (error !== null) return refused(error);
    this.#next++;
    if (id !== undefined) this.#ids.push({ id, sequence: message.sequence, timeUs });
    if (livesUs !== undefined) this.#expiresUs.set(message.sequence, timeUs + livesUs);
    if (this.#config.retention !== 'interest') this.#store(message, rollup);
    return { sequence: message.sequence, duplicate: false, error: null };
  }

  delete(sequence: number): boolean {
    const before = this.messages.length;
    this.messages = this.messages.filter((message) => message.sequence !== sequence);
    return this.messages.length < before;
  }

  purge(filter: SubjectFilter, keep: number | null, below: number): number {
    const taken = this.taken(filter);
    const gone = keep === null ? taken.filter(({ sequence }) => sequence < below) : taken.slice(0, -keep);
    this.messages = this.messages.filter((message) => !gone.includes(message));
    return gone.length;
  }

  expire(nowUs: number): void {
    const maxAgeUs = this.#us('max_age') || Number.POSITIVE_INFINITY;
    this.messages = this.messages.filter(({ sequence, timeUs }) => {
      const expiresUs = this.#expiresUs.get(sequence);
      if (expiresUs === Number.POSITIVE_INFINITY) return true;
      return timeUs > nowUs - maxAgeUs && (expiresUs === undefined || expiresUs > nowUs);
    });
  }

  taken(filter: SubjectFilter): ModelMessage[] {
    const parts = filter.text.split('.').map((token) => {
      if (token === '>') return '.+';
      return token === '*' ? '[^.]+' : token;
    });
    const pattern = new RegExp(`^${parts.join('\\.')}$`);
    return this.messages.filter(({ subject }) => pattern.test(subject));
  }

  gaps(): number[] {
    if (this.messages.length === 0) return [];
    const all = Array.from({ length: this.lastSequence - this.firstSequence + 1 }, (_, i) => this.firstSequence + i);
    return all.filter((sequence) => !this.messages.some((message) => message.sequence === sequence));
  }

  #store(message: ModelMessage, rollup: string | undefined): void {
    const { subject } = message;
    if (rollup === 'all') this.messages = [];
    if (rollup === 'sub') this.messages = this.messages.filter((other) => other.subject !== subject);
    this.messages.push(message);
    const same = this.messages.filter((other) => other.subject === subject);
    const surplus = same.slice(0, Math.max(0, same.length - this.#max('max_msgs_per_subject')));
    this.messages = this.messages.filter((other) => !surplus.includes(other));
    if (this.#config.discard === 'new') return;
    while (this.messages.length > this.#max('max_msgs') || this.bytes > this.#max('max_bytes')) this.messages.shift();
  }

  #wrongSequence(subject: string, headers: Headers): string | null {
    const last = this.messages.findLast((message) => message.subject === subject)?.sequence ?? 0;
    const ofSubject = headers['Nats-Expected-Last-Subject-Sequence'];
    if (ofSubject !== undefined && Number(ofSubject) !== last) return `wrong last sequence: ${last}`;
    const ofAll = headers['Nats-Expected-Last-Sequence'];
    const isWrong = ofAll !== undefined && Number(ofAll) !== this.lastSequence;
    return isWrong ? `wrong last sequence: ${this.lastSequence}` : null;
  }

  #tooMuch(message: ModelMessage, rollsUp: boolean): string | null {
    const { discard, discard_new_per_subject, retention } = this.#config;
    if (discard !== 'new' || retention === 'interest') return null;
    const same = this.messages.filter(({ subject }) => subject === message.subject);
    const replaced = same.length >= this.#max('max_msgs_per_subject') ? same[0] : undefined;
    if (replaced !== undefined && discard_new_per_subject && !rollsUp) return 'maximum messages per subject exceeded';
    if (replaced === undefined && this.messages.length >= this.#max('max_msgs')) return 'maximum messages exceeded';
    if (this.bytes + bytesOf(message) <= this.#max('max_bytes')) return null;
    return replaced !== undefined && bytesOf(replaced) >= bytesOf(message) ? null : 'maximum bytes exceeded';
  }

  #max(name: 'max_msgs' | 'max_bytes' | 'max_msgs_per_subject' | 'max_msg_size'): number {
    const max = Number(this.#config[name]);
    return max <= 0 ? Number.POSITIVE_INFINITY : max;
  }

  #us(name: 'max_age' | 'duplicate_window'): number {
    return Number(this.#config[name]) / 1000;
  }
}

/** What a message's `Nats-TTL` says. */
const lifetimesUs: Readonly<Record<string, number>> = {
  1: 1e6,
  '2.9s': 2e6,
  '4s': 4e6,
  never: Number.POSITIVE_INFINITY,
};

function refused(error: string): ModelOutcome {
  return { sequence: 0, duplicate: false, error };
}

function bytesOf({ subject, headerBytes, payloadBytes }: ModelMessage): number {
  return 16 + subject.length + headerBytes + payloadBytes;
}
