import { answerPauseBytes } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import type { Role } from '../../base/role.js';
import { type Place, Span } from '../../base/span.js';
import { diskPlaces, type StreamPlace } from '../../stream/extensions.js';
import type { Stream } from '../../stream/stream.js';
import type { Voice } from '../voice.js';
import { entryKind } from './answerEntry.js';
import type { AckTexts } from './pubAck.js';
import { noText } from './pubAckEntries.js';
import { StreamAnswers } from './streamAnswers.js';

const places: readonly StreamPlace[] = ['memory', ...diskPlaces];

/** What a shard is to say for its streams: by where they are kept, so that nobody waits for a disk of others. */
export class AnswerQueues implements Role {
  readonly #answers: Readonly<Record<StreamPlace, StreamAnswers>>;
  readonly #all: readonly StreamAnswers[];
  /** Whose turn it is to be first: one that uses up what may be said in a turn leaves nothing to those behind it. */
  #turn = 0;
  /** Told when there is less to say for a place. */
  readonly #waiting: Readonly<Record<StreamPlace, (() => void)[]>> = { memory: [], synced: [], buffered: [] };

  constructor(voice: Pick<Voice, 'say' | 'sayAll'>, texts: AckTexts) {
    const answers = () => new StreamAnswers(voice, texts);
    this.#answers = { memory: answers(), synced: answers(), buffered: answers() };
    this.#all = Object.values(this.#answers);
  }

  /** All that waits to be said, in bytes. */
  get bytes(): number {
    let sum = 0;
    for (let i = 0; i < this.#all.length; i++) sum += this.#all[i].bytes;
    return sum;
  }

  /** What need not wait for a disk, in bytes. */
  get sayableBytes(): number {
    return this.#all.reduce((sum, { sayableBytes }) => sum + sayableBytes, 0);
  }

  /** Called now and then. */
  tidy(): void {
    for (const answers of this.#all) answers.tidy();
  }

  /** What waits to be said for a place, in bytes. */
  bytesOf(place: StreamPlace): number {
    return this.#answers[place].bytes;
  }

  /** Resolves when most of what is to be said for a place was said; null when it was. */
  untilSaid(place: StreamPlace): Promise<void> | null {
    if (this.#answers[place].bytes <= answerPauseBytes) return null;
    return new Promise((resolve) => this.#waiting[place].push(resolve));
  }

  /**
   * Says `span[start, end)`, of which the first `headerBytes` are headers.
   *
   * @param stream that it tells of: what was done to it so far lasts then, or will not, which is said instead; null for none
   */
  add(reply: Place, span: Span, start: number, end: number, headerBytes: number, stream: Stream | null): void {
    this.#of(stream).add(reply, span, start, end, headerBytes, awaitedOf(stream));
  }

  /** Tells whoever listens at a subject, once what was done to a stream so far lasts; nothing where it will not. */
  addNotice(to: Place, message: Uint8Array, stream: Stream | null): void {
    this.#of(stream).add(to, new Span(message), 0, message.length, 0, awaitedOf(stream), entryKind.notice);
  }

  /** Says that messages of a run were taken by a stream, as `Answers.addAcks` does. */
  addAcks(prefix: Place, first: number, message: MessageView, from: number, count: number, stream: Stream): boolean {
    return this.#of(stream).addAcks(prefix, first, message, from, count, awaitedOf(stream));
  }

  /** Says to the replies of a run that what was done to a stream so far lasts, by empty messages; once it does. */
  addConfirmations(run: MessageView, stream: Stream): void {
    if (this.addAcks(noText, 0, run, 0, run.count, stream)) return;
    for (let i = 0; i < run.count; i++) {
      const reply = { span: run.span, start: run.replyStarts[i], end: run.replyEnds[i] };
      this.add(reply, run.span, 0, 0, 0, stream);
    }
  }

  #of(stream: Stream | null): StreamAnswers {
    return this.#answers[stream?.place ?? 'memory'];
  }

  /** Says what may be said; returns whether there is more of that. */
  doWork(): boolean {
    let more = false;
    this.#turn++;
    for (let i = 0; i < places.length; i++) {
      const place = places[(this.#turn + i) % places.length];
      const answers = this.#answers[place];
      if (answers.doWork()) more = true;
      const waiting = this.#waiting[place];
      if (waiting.length > 0 && answers.bytes <= answerPauseBytes) for (const tell of waiting.splice(0)) tell();
    }
    return more;
  }
}

/** What has failed before shows only what lasts. */
function awaitedOf(stream: Stream | null): Stream | null {
  return stream?.isDurable && stream.failure === null ? stream : null;
}
