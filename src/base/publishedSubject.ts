import { latin1Bytes, latin1String } from './bytes.js';
import { nowhere, type Place, placeOf, type Span } from './span.js';

/** A subject as whoever publishes to a stream keeps it: the stream writes there under which number it has found it. */
export interface PublishedSubject extends Place {
  /** The same, one byte a character. */
  readonly text: string;
  /** Its number in that version of an index of subjects. */
  indexNumber: number;
  /** 0 is none. */
  indexVersion: number;
  /** Messages that were published to it. */
  published: number;
}

/** A subject that nobody keeps. */
export function publishedSubject(text: string): PublishedSubject {
  return { ...placeOf(latin1Bytes(text)), text, indexNumber: 0, indexVersion: 0, published: 0 };
}

/** One where it was read, for the time of a call; filled anew for each. */
export class ReadSubject implements PublishedSubject {
  span: Span = nowhere.span;
  start = 0;
  end = 0;
  indexNumber = 0;
  indexVersion = 0;
  published = 0;

  set(span: Span, start: number, end: number): void {
    this.span = span;
    this.start = start;
    this.end = end;
    this.indexVersion = 0;
  }

  get text(): string {
    return latin1String(this.span.bytes, this.start, this.end);
  }
}
