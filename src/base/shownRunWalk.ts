import { ackNumberCount } from './ackNumbers.js';
import { MessageView } from './messageView.js';
import { lineEndBytes } from './ownMessage.js';
import { Shown } from './shown.js';
import { type ShownRun, shownAlignment, shownHeaderBytes, shownTextAt } from './shownRun.js';

/** Goes through the messages of a run one by one. */
export class ShownRunWalk {
  /** The message that it has come to. Valid as long as the run is. */
  readonly message = new MessageView();
  readonly #shown = new Shown();
  #run: ShownRun | null = null;
  #at = 0;
  #left = 0;

  /** Begins in front of the first message. */
  begin(run: ShownRun): void {
    this.#run = run;
    this.#at = run.start;
    this.#left = run.count;
  }

  /** Goes to the next message; returns whether there is one. */
  next(): boolean {
    const run = this.#run;
    if (run === null || this.#left === 0) return false;
    const { span } = run;
    const { view } = span;
    const at = this.#at;
    const subjectBytes = view.getUint32(at, true);
    const replyBytes = view.getUint32(at + 4, true);
    const lengthBytes = view.getUint32(at + 12, true);
    const textAt = view.getInt32(at + 16, true);
    if (replyBytes !== 0)
      for (let i = 0; i < ackNumberCount; i++)
        this.#shown.numbers[i] = view.getFloat64(at + shownHeaderBytes + 8 * i, true);
    this.#shown.setBytes(span, at + textAt, subjectBytes, replyBytes);
    const behind = at + shownTextAt(replyBytes);
    const start = textAt < 0 ? behind : behind + subjectBytes + replyBytes;
    this.message.set(span, start, start + lengthBytes);
    this.message.setHeaders(view.getUint32(at + 8, true));
    this.message.shown = this.#shown;
    this.#at = (start + lengthBytes + lineEndBytes + shownAlignment - 1) & -shownAlignment;
    this.#left--;
    return true;
  }
}
