import { randomBytes } from 'node:crypto';
import { byteText, latin1Bytes } from '../../base/bytes.js';
import { placeOf, Span } from '../../base/span.js';
import { timeText } from '../../base/timeText.js';
import { type JsonObject, writeJson } from '../../stream/api/json.js';
import type { Clock } from '../../stream/times.js';
import type { AnswerQueues } from './answerQueues.js';

export type StreamAction = 'create' | 'modify' | 'delete';

const subjects: Readonly<Record<StreamAction, string>> = { create: 'CREATED', modify: 'UPDATED', delete: 'DELETED' };

/** Tells whoever listens below `$JS.EVENT.ADVISORY` what became of streams. */
export class Advisories {
  readonly #answers: AnswerQueues;
  readonly #clock: Clock;
  readonly #domain: string;

  constructor(answers: AnswerQueues, clock: Clock, domain: string) {
    this.#answers = answers;
    this.#clock = clock;
    this.#domain = domain;
  }

  /** Says that a stream was made, changed or removed. */
  sayAction(name: string, action: StreamAction): void {
    this.say(`ADVISORY.STREAM.${subjects[action]}.${name}`, 'advisory.v1.stream_action', { stream: name, action });
  }

  /** @param to the subject behind `$JS.EVENT.` @param type what is behind `io.nats.jetstream.` */
  say(to: string, type: string, fields: JsonObject): void {
    const event = {
      type: `io.nats.jetstream.${type}`,
      id: uniqueId(),
      timestamp: timeText(this.#clock.nowUs()),
      ...fields,
      domain: this.#domain || undefined,
    };
    const message = latin1Bytes(byteText(writeJson(event)));
    const subject = latin1Bytes(byteText(`$JS.EVENT.${to}`));
    this.#answers.add(placeOf(subject), new Span(message), 0, message.length, 0, null);
  }
}

const idLetters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const idLength = 22;

/** As long as NATS's, and as unlikely to come twice. */
export function uniqueId(): string {
  return Array.from(randomBytes(idLength), (byte) => idLetters[byte % idLetters.length]).join('');
}
