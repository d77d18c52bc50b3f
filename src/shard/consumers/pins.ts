import { uniqueId } from '../../base/uniqueId.js';

/** Why whoever was pinned is not any more. */
export type UnpinReason = 'admin' | 'timeout';

/** Who of a group gets all messages, by an id that the server has given. */
export class Pin {
  /** '' while nobody is. */
  id = '';
  /** Since when, in microseconds since 1970. */
  sinceUs = 0;
  /** When it is lost unless whoever has it asks again, in milliseconds. */
  endsMs = Number.POSITIVE_INFINITY;

  give(nowUs: number, endsMs: number): string {
    this.id = uniqueId();
    this.sinceUs = nowUs;
    this.endsMs = endsMs;
    return this.id;
  }

  /** It is nobody's. */
  clear(): void {
    this.id = '';
    this.endsMs = Number.POSITIVE_INFINITY;
  }
}
