import type { RawClient } from '../harness/rawClient.js';

/**
 * Publishes numbered batches, each with a PING, and starts the next at its PONG, until the connection ends.
 *
 * @param batch messages in each: fewer where a handler is to answer each of them, which a busy machine does some hundred times a second
 * @returns how many the broker has accepted
 */
export async function publishUntilClosed(
  publisher: RawClient,
  subject: string,
  onPong: (pongs: number) => void,
  batch = 200,
): Promise<number> {
  let [sent, pongs] = [0, 0];
  const next = (): void => {
    let bytes = '';
    for (let i = 0; i < batch; i++, sent++) bytes += `PUB ${subject} ${String(sent).length}\r\n${sent}\r\n`;
    publisher.send(`${bytes}PING\r\n`);
  };
  publisher.onFrame = ({ op }) => {
    if (op !== 'PONG') return;
    onPong(++pongs);
    next();
  };
  // Two batches are always on their way, so that the end finds traffic in flight.
  next();
  next();
  await publisher.waitClosed();
  return pongs * batch;
}

/** The numbers that came on each subject. */
export class Numbers {
  readonly #bySubject = new Map<string, number[]>();

  /** Has everything that a client receives counted. */
  static of(reader: RawClient): Numbers {
    const numbers = new Numbers();
    reader.onFrame = (frame) => {
      if (frame.op === 'MSG') numbers.note(frame.subject, Number(frame.payload));
    };
    return numbers;
  }

  note(subject: string, number: number): void {
    const numbers = this.#bySubject.get(subject);
    if (numbers === undefined) this.#bySubject.set(subject, [number]);
    else numbers.push(number);
  }

  count(subject: string): number {
    return this.#bySubject.get(subject)?.length ?? 0;
  }

  /** What is wrong with what came on a subject: a gap, something doubled or out of order; null when nothing is. */
  fault(subject: string): string | null {
    const at = (this.#bySubject.get(subject) ?? []).findIndex((number, i) => number !== i);
    return at < 0 ? null : `${subject}: ${this.#bySubject.get(subject)?.[at]} where ${at} was to come`;
  }
}
