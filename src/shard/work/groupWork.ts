import { overworkedRatio, waitingWorkBytesMax, waitingWorkMessagesMax } from '../../base/limits.js';
import { subjectMatches } from '../../protocol/subject.js';
import type { QueueInterest } from '../../router/queueInterest.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessage } from '../../subscriber/heldMessages.js';
import { WaitingLine } from './waitingLine.js';

/** What waits of one queue group on its topics' shard, by topic, and by the subjects whose members take it. */
export class GroupWork {
  readonly queue: string;
  count = 0;
  bytes = 0;
  /** Whether its topics' publishers wait. */
  holding = false;
  /** Whether some member is a thread of the process itself: it is waited for without limit. */
  inProcess = false;
  /** Whether so much waits that even those are refused that have some of it in flight. */
  overworked = false;
  /** The lines of publishers that want no echo. */
  readonly echoless = new Set<WaitingLine>();
  readonly #lines = new Map<string, WaitingLine>();
  readonly #byPart = new Map<QueueInterest, Set<WaitingLine>>();
  /** Parts for which all lines have been looked through. */
  readonly #seen = new WeakSet<QueueInterest>();

  constructor(queue: string) {
    this.queue = queue;
  }

  /** Whether with another message more would wait than may before publishers have to. */
  isOverWith(lengthBytes: number): boolean {
    return this.count >= waitingWorkMessagesMax || this.bytes + lengthBytes > waitingWorkBytesMax;
  }

  /** Whether much more waits than publishers wait for, and no longer half of that. */
  get isOverworked(): boolean {
    const ratio = overworkedRatio / (this.overworked ? 2 : 1);
    return this.count >= ratio * waitingWorkMessagesMax || this.bytes >= ratio * waitingWorkBytesMax;
  }

  /** Whether so little waits that publishers may go on. */
  get halfDone(): boolean {
    return this.count <= waitingWorkMessagesMax / 2 && this.bytes <= waitingWorkBytesMax / 2;
  }

  /** All its lines. */
  get lines(): Iterable<WaitingLine> {
    return this.#lines.values();
  }

  /** Memory that what waits takes, in bytes. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** It waits for members that read: whether they do is their connections' business. */
  isStalled(): boolean {
    return false;
  }

  has(topic: Topic, exceptConnection: number): boolean {
    return this.#lines.has(lineName(topic, exceptConnection));
  }

  /** The line of a topic, made when there is none: those who want no echo have lines of their own. */
  line(topic: Topic, exceptConnection: number): WaitingLine {
    const name = lineName(topic, exceptConnection);
    let line = this.#lines.get(name);
    if (line === undefined) {
      line = new WaitingLine(this.queue, name, topic, exceptConnection);
      this.#lines.set(name, line);
      if (line.exceptConnection !== 0) this.echoless.add(line);
      const route = topic.queues.find((each) => each.name.text === this.queue);
      for (const part of route?.parts ?? []) this.#join(line, part);
    }
    return line;
  }

  /** The lines that members on a subject take. Those that came before the members are found among all, once. */
  linesFor(part: QueueInterest): Set<WaitingLine> {
    if (this.#seen.has(part)) return this.#byPart.get(part) ?? noLines;
    this.#seen.add(part);
    for (const line of this.#lines.values()) if (subjectMatches(part.subject, line.topic.text)) this.#join(line, part);
    return this.#byPart.get(part) ?? noLines;
  }

  push(line: WaitingLine, held: HeldMessage<Topic>, returned: boolean): void {
    line.push(held, returned);
    this.count++;
    this.bytes += held.heldBytes;
  }

  /** Takes a line's first message away, and the line with its last. */
  shift(line: WaitingLine, held: HeldMessage<Topic>): void {
    line.shift();
    this.count--;
    this.bytes -= held.heldBytes;
    if (line.first !== null) return;
    this.#lines.delete(line.name);
    this.echoless.delete(line);
    for (const part of line.parts) this.#leave(line, part);
  }

  #join(line: WaitingLine, part: QueueInterest): void {
    line.parts.add(part);
    const lines = this.#byPart.get(part);
    if (lines === undefined) this.#byPart.set(part, new Set([line]));
    else lines.add(line);
  }

  #leave(line: WaitingLine, part: QueueInterest): void {
    const lines = this.#byPart.get(part);
    lines?.delete(line);
    if (lines?.size === 0) this.#byPart.delete(part);
  }
}

const noLines: Set<WaitingLine> = new Set();

function lineName(topic: Topic, exceptConnection: number): string {
  return exceptConnection !== 0 ? `${topic.text} ${exceptConnection}` : topic.text;
}
