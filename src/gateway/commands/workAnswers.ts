import { bytesEqualAt, latin1Bytes, latin1String, readableText } from '../../base/bytes.js';
import { nackDelayMsMax } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { cost } from '../../base/work.js';
import { type Ack, readAck } from '../../protocol/ackMessage.js';
import { deadDetail } from '../../protocol/deadLetter.js';
import type { Publication } from '../../protocol/publication.js';
import { deliveryOfWorkReply } from '../../protocol/workReply.js';
import type { WorkAnswer } from '../../subscriber/workState.js';
import type { Connection } from '../connection.js';
import type { CommandsHost } from './host.js';
import type { Verdicts } from './verdicts.js';

const acknowledged = latin1Bytes('+ACK');
/** What is read of an answer, in bytes: a reason may be as long as any payload. */
const answerBytesMax = 1024;

/**
 * Takes what NATS clients say of deliveries, by messages to where each is answered. Nobody else sees them, and no rights are asked: a
 * connection speaks of nothing but its own.
 */
export class WorkAnswers {
  readonly #host: CommandsHost;
  readonly #verdicts: Verdicts;

  constructor(host: CommandsHost, verdicts: Verdicts) {
    this.#host = host;
    this.#verdicts = verdicts;
  }

  /** Takes messages of a run, as many as the share of work lasts for; returns how many. A late one is passed over, as JetStream does; one that asks is told. */
  take(connection: Connection, { message, subjectStart, subjectEnd }: Publication): number {
    const delivery = deliveryOfWorkReply(message.bytes, subjectStart, subjectEnd);
    const { work } = this.#host.router;
    let count = 0;
    do {
      work.units += cost.workAnswer;
      const taken = this.#take(connection, delivery, message, count);
      if (message.withReplies) this.#say(connection, message, count, taken);
      count++;
    } while (count < message.count && !work.spent);
    this.#verdicts.accept(connection, count);
    return count;
  }

  /** False when there is no such delivery, or nothing is said of it. */
  #take(connection: Connection, delivery: number, message: MessageView, index: number): boolean {
    const member = delivery === 0 ? null : connection.unacknowledged.find(delivery);
    if (member === null || member.inFlight === null) return false;
    const { prefetching } = this.#host.delivery;
    const start = message.payloadStart(index);
    const end = message.ends[index];
    if (end === start || (end - start === acknowledged.length && bytesEqualAt(message.bytes, start, acknowledged)))
      return prefetching.answer(connection, delivery, 'ack', 0);
    const { work } = this.#host.router;
    work.units += cost.workText;
    const ack = readAck(latin1String(message.bytes, start, Math.min(end, start + answerBytesMax)));
    const delayMs = Math.min(nackDelayMsMax, Math.ceil(ack.delayMs ?? 0));
    const answer = answerOf(ack, delayMs);
    if (answer === 'nackLater') work.units += cost.workHeldBack;
    const detail = ack.reason === '' ? '' : deadDetail(readableText(ack.reason));
    return answer !== null && prefetching.answer(connection, delivery, answer, delayMs, detail);
  }

  /** An empty answer says that it was taken, as JetStream's does; of what is not known it is said that nobody answers. */
  #say(connection: Connection, message: MessageView, index: number, taken: boolean): void {
    const { answers, router } = this.#host;
    router.work.units += cost.answer;
    if (taken) answers.answer(connection, message.replyText(index), '');
    else if (connection.options.noResponders) answers.unknownDelivery(connection, message, index);
  }
}

/** What an acknowledgement in JetStream's words says of a message in flight. More comes by itself, so that `+NXT` is no more than an acknowledgement. */
function answerOf({ verdict }: Ack, delayMs: number): WorkAnswer | null {
  switch (verdict) {
    case 'ack':
      return 'ack';
    case 'nak':
      return delayMs > 0 ? 'nackLater' : 'nack';
    case 'progress':
      return 'working';
    case 'term':
      return 'terminate';
    case 'nothing':
      return null;
  }
}
