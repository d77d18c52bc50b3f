import { byteText, latin1Bytes } from '../../base/bytes.js';
import { copySpan, type Place, placeOf, type Span } from '../../base/span.js';
import type { ApiError } from '../../stream/api/apiError.js';
import { writeJson } from '../../stream/api/json.js';
import type { Published } from '../../stream/publishing.js';
import type { Stream } from '../../stream/stream.js';

/** How acknowledgements name a stream, one byte a character. */
function namesOf(name: string, domain: string): string {
  return byteText(`"stream":${JSON.stringify(name)}${domain === '' ? '' : `,"domain":${JSON.stringify(domain)}`}`);
}

function refused(names: string, refusal: ApiError): string {
  return `{"error":${byteText(writeJson(refusal.toJson()))},${names},"seq":0}`;
}

/** What is said of a stream instead of what was to be said when that is not committed. */
export class AckTexts {
  readonly #domain: string;

  constructor(domain: string) {
    this.#domain = domain;
  }

  /** @param withHeaders as a status, else as an acknowledgement; one byte a character */
  failed({ name, failure }: Stream, withHeaders: boolean): string {
    const error = failure as ApiError;
    return withHeaders
      ? `NATS/1.0 ${error.code} ${byteText(error.message)}\r\n\r\n`
      : refused(namesOf(name, this.#domain), error);
  }
}

/** Acknowledgements of one stream. */
export class PubAck {
  /** What the acknowledgement of a message that was taken begins with: its sequence and `}` follow. */
  readonly prefix: Place;
  readonly #names: string;

  constructor(name: string, domain: string) {
    this.#names = namesOf(name, domain);
    this.prefix = placeOf(latin1Bytes(`{${this.#names},"seq":`));
  }

  /** Writes an acknowledgement to the beginning of `target`; returns how long it is. */
  write(target: Span, { sequence, duplicate, refusal }: Published): number {
    if (refusal !== null) return writeText(target, 0, refused(this.#names, refusal));
    const at = copySpan(target, 0, this.prefix.span, this.prefix.start, this.prefix.end);
    return writeText(target, at, `${sequence}${duplicate ? ',"duplicate": true}' : '}'}`);
  }
}

function writeText(target: Span, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) target.bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Longest acknowledgement, in bytes: names and texts are bounded. */
export const ackBytesMax = 8 * 1024;
