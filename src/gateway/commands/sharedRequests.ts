import { nowhere, type Place, spanEqualAt } from '../../base/span.js';
import { cost } from '../../base/work.js';
import type { Publication } from '../../protocol/publication.js';
import { classifyPublished, isReservedReply } from '../../protocol/subject.js';
import { sharedPrefixBytes } from '../../router/requestLayout.js';
import type { Topic } from '../../router/topic.js';
import type { Connection } from '../connection.js';
import type { PlainLines } from './commands.js';
import type { CommandsHost } from './host.js';
import type { ReplyAddresses } from './replyAddresses.js';
import { SharedRun } from './sharedRun.js';
import type { Verdicts } from './verdicts.js';

/** What the payload of a request has at most that the kernel lays out, in bytes. */
const requestPayloadBytesMax = 9;

/** Publishes requests to the broker itself for whose subjects one topic stands: acknowledgements, above all. */
export class SharedRequests {
  readonly #host: CommandsHost;
  readonly #verdicts: Verdicts;
  readonly #replyAddresses: ReplyAddresses;
  readonly #run = new SharedRun();
  /** What the subjects have in common that are read together. */
  #prefix: Place = nowhere;

  constructor(host: CommandsHost, verdicts: Verdicts, replyAddresses: ReplyAddresses) {
    this.#host = host;
    this.#verdicts = verdicts;
    this.#replyAddresses = replyAddresses;
  }

  /** @returns how many were taken; -1 when they have to be published as to a topic, be it for what is wrong with them */
  publish(connection: Connection, publication: Publication): number {
    const { router } = this.#host;
    const { message, subjectStart, subjectEnd } = publication;
    // rights are to single subjects
    if (publication.withHeaders || connection.rights !== null) return -1;
    const topic = router.shared.find(message.span, subjectStart, subjectEnd, connection.account);
    if (topic === null) return -1;
    router.freshen(topic);
    if (!router.shared.serves(topic, message.span, subjectStart, subjectEnd)) return -1;
    if (this.#host.apiCallers.areTold(topic)) return -1;
    if (message.withReplies && isReservedReply(message.bytes, message.replyStarts[0], message.replyEnds[0])) return -1;
    const run = this.#fill(publication, sharedPrefixBytes(topic));
    if (run === 0) return -1;
    if (this.#host.memoryShort) return 0;
    if (message.withReplies && !this.#replyAddresses.claim(connection, message)) return 0;
    // the reply may be one of these subjects itself
    router.freshen(topic);
    if (!topic.served) return -1;
    const taken = this.#send(connection, topic);
    if (taken > 0) {
      if (connection.options.verbose || connection.requestId !== null) this.#verdicts.accept(connection, taken);
      connection.asked = topic;
    }
    return taken;
  }

  /** The same for what follows, from `position` on, as far as one topic stands for all of it. @returns where the first begins that was not published */
  publishTogether(connection: Connection, lines: PlainLines, position: number, end: number): number {
    const topic = connection.asked;
    const { options, rights, awaited } = connection;
    if (topic === null || !topic.live || options.verbose || rights !== null || this.#host.memoryShort) return position;
    const { router } = this.#host;
    router.freshen(topic);
    if (!topic.served || router.interest.anyLiteral(topic) || this.#host.apiCallers.areTold(topic)) return position;
    const { message } = lines;
    const prefixBytes = sharedPrefixBytes(topic);
    const run = this.#run;
    this.#prefix = { span: topic.span, start: topic.start, end: topic.start + prefixBytes };
    this.#layLines(connection, lines, position, end);
    const { lineEnds, payloadBytes } = run;
    const laid = run.message.count;
    let next = laid === 0 ? position : lineEnds[laid - 1];
    let bytes = laid === 0 ? 0 : payloadBytes[laid - 1];
    for (; lines.readNext(next, end, 0); next = lines.nextPosition) {
      if (!this.#isOf(lines, prefixBytes)) break;
      if (message.withReplies && !awaited.covers(message.span, message.replyStarts[0], message.replyEnds[0])) break;
      if (!run.add(lines, prefixBytes, 0)) break;
      bytes += message.ends[0] - message.starts[0];
      payloadBytes[run.message.count - 1] = bytes;
      lineEnds[run.message.count - 1] = lines.nextPosition;
    }
    if (run.message.count === 0) return position;
    const taken = this.#send(connection, topic);
    router.work.units += taken * cost.publish;
    if (taken === 0) return position;
    this.#host.meter.noteRead(connection, taken, payloadBytes[taken - 1]);
    return lineEnds[taken - 1];
  }

  /** Has the kernel lay out lines, as far as it can, and their replies are awaited by whoever asks. */
  #layLines({ awaited }: Connection, { message }: PlainLines, position: number, end: number): void {
    const run = this.#run;
    const { withReplies } = message;
    const { maxControlLineBytes: lineBytesMax, maxPayloadBytes } = this.#host.limits;
    const base = maxPayloadBytes < requestPayloadBytesMax ? -1 : message.span.address;
    run.layLines({ base, position, end, lineBytesMax }, this.#prefix, withReplies);
    if (!withReplies) return;
    const { span, replyStarts, replyEnds, count } = run.message;
    for (let i = 0; i < count; i++) {
      const isReserved = isReservedReply(span.bytes, replyStarts[i], replyEnds[i]);
      if (!isReserved && awaited.covers(span, replyStarts[i], replyEnds[i])) continue;
      run.cut(i);
      return;
    }
  }

  /** Lays out a run of requests on one subject, or the first ones of it. @returns how many */
  #fill(publication: Publication, prefixBytes: number): number {
    const run = this.#run;
    run.clear();
    for (let i = 0; i < publication.message.count; i++) if (!run.add(publication, prefixBytes, i)) break;
    return run.message.count;
  }

  /** Whether a line's subject is one of those for which the topic stands. */
  #isOf({ message, subjectStart, subjectEnd }: PlainLines, prefixBytes: number): boolean {
    const restStart = subjectStart + prefixBytes;
    if (restStart >= subjectEnd || !spanEqualAt(message.span, subjectStart, this.#prefix)) return false;
    return classifyPublished(message.bytes, restStart, subjectEnd) === 'literal';
  }

  #send(connection: Connection, topic: Topic): number {
    const { exchange, self } = this.#host;
    const taken = exchange.shards[topic.owner].publish(topic, this.#run.message);
    if (topic.owner !== self && taken > 0) connection.order.noteSent();
    return taken;
  }
}
