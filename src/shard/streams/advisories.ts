import { byteText, latin1Bytes } from '../../base/bytes.js';
import { placeOf } from '../../base/span.js';
import { timeText } from '../../base/timeText.js';
import { uniqueId } from '../../base/uniqueId.js';
import { type JsonObject, writeJson } from '../../stream/api/json.js';
import type { Stream } from '../../stream/stream.js';
import type { Clock } from '../../stream/times.js';
import type { Voice } from '../voice.js';
import type { AnswerQueues } from './answerQueues.js';

export type StreamAction = 'create' | 'modify' | 'delete';

const subjects: Readonly<Record<StreamAction, string>> = { create: 'CREATED', modify: 'UPDATED', delete: 'DELETED' };

/** Tells whoever listens below `$JS.EVENT.ADVISORY` what became of streams. */
export class Advisories {
  readonly #answers: Pick<AnswerQueues, 'addNotice'>;
  readonly #voice: Pick<Voice, 'isHeard'>;
  readonly #clock: Clock;
  readonly #domain: string;

  constructor(answers: Pick<AnswerQueues, 'addNotice'>, voice: Pick<Voice, 'isHeard'>, clock: Clock, domain: string) {
    this.#answers = answers;
    this.#voice = voice;
    this.#clock = clock;
    this.#domain = domain;
  }

  /** Says that a stream was made, changed or removed. */
  sayAction(name: string, action: StreamAction): void {
    this.say(`ADVISORY.STREAM.${subjects[action]}.${name}`, 'advisory.v1.stream_action', () => ({
      stream: name,
      action,
    }));
  }

  /**
   * Says what is made only if anybody listens.
   *
   * @param to the subject behind `$JS.EVENT.` @param type what is behind `io.nats.jetstream.`
   * @param stream what was done to it so far has to last before it is said; null for nothing
   */
  say(to: string, type: string, fields: () => JsonObject, stream: Stream | null = null): void {
    const place = placeOf(latin1Bytes(byteText(`$JS.EVENT.${to}`)));
    if (!this.#voice.isHeard(place)) return;
    const event = {
      type: `io.nats.jetstream.${type}`,
      id: uniqueId(),
      timestamp: timeText(this.#clock.nowUs()),
      ...fields(),
      domain: this.#domain || undefined,
    };
    this.#answers.addNotice(place, latin1Bytes(byteText(writeJson(event))), stream);
  }
}
