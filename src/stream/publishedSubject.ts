import { latin1Bytes } from '../base/bytes.js';
import { type Place, placeOf } from '../base/span.js';

/** A subject as whoever publishes to a stream keeps it: the stream writes there under which number it has found it. */
export interface PublishedSubject extends Place {
  /** The same, one byte a character. */
  readonly text: string;
  /** Its number in that version of an index of subjects. */
  indexNumber: number;
  /** 0 is none. */
  indexVersion: number;
}

/** A subject that nobody keeps. */
export function publishedSubject(text: string): PublishedSubject {
  return { ...placeOf(latin1Bytes(text)), text, indexNumber: 0, indexVersion: 0 };
}
