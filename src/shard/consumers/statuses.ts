import { latin1String } from '../../base/bytes.js';
import { MessageView } from '../../base/messageView.js';
import { Shown } from '../../base/shown.js';
import { placeOf, Span } from '../../base/span.js';
import type { Address, Addressing } from '../addressing.js';
import type { AnswerQueues } from '../streams/answerQueues.js';
import type { Voice } from '../voice.js';
import type { Sending } from './sending.js';

const lineEnd = Buffer.from('\r\n');

/** Says what consumers have to say beside their messages, in order with those. */
export class Statuses {
  readonly #addressing: Addressing;
  readonly #sending: Sending;
  readonly #voice: Voice;
  readonly #answers: AnswerQueues;
  readonly #shown = new Shown();
  readonly #view = new MessageView();

  constructor(addressing: Addressing, sending: Sending, voice: Voice, answers: AnswerQueues) {
    this.#addressing = addressing;
    this.#sending = sending;
    this.#voice = voice;
    this.#answers = answers;
  }

  /** Says a status at an address; where there is no room now, behind what else waits to be said. */
  sayAt(address: Address, subject: Uint8Array, block: Uint8Array): void {
    this.#sending.flush();
    const view = this.#view;
    const span = new Span(Buffer.concat([block, lineEnd]));
    view.set(span, 0, block.length);
    view.setHeaders(block.length);
    this.#shown.setText(latin1String(subject, 0, subject.length), '');
    view.shown = this.#shown;
    if (this.#addressing.send(address, 0, view) === 'no-room')
      this.#answers.add(placeOf(subject), new Span(block), 0, block.length, block.length, null);
  }

  /** Says a status on a subject with a reply, now or not at all. @returns whether it was said */
  ask(subject: Uint8Array, reply: Uint8Array, block: Uint8Array): boolean {
    this.#sending.flush();
    const view = this.#view;
    const span = new Span(Buffer.concat([subject, reply, block, lineEnd]));
    const start = subject.length + reply.length;
    view.set(span, start, start + block.length);
    view.setHeaders(block.length);
    view.shown = null;
    view.withReplies = true;
    view.replyStarts[0] = subject.length;
    view.replyEnds[0] = start;
    return this.#voice.say(span, 0, subject.length, view) === 'said';
  }
}
