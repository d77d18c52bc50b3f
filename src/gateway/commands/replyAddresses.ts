import type { MessageView } from '../../base/messageView.js';
import { localShift } from '../../base/work.js';
import { inboxEntry } from '../../router/inboxes.js';
import type { InterestEntry, LocalSubscription } from '../../router/interestEntry.js';
import { isSettled } from '../../router/settling.js';
import type { Connection } from '../connection.js';
import { Subscription } from '../subscription.js';
import type { CommandsHost } from './host.js';

/**
 * What a client names as a reply, and takes by a subscription of its own, is an address, and so is what is like it but for the last token
 * (docs/decisions/0033).
 */
export class ReplyAddresses {
  readonly #host: CommandsHost;

  constructor(host: CommandsHost) {
    this.#host = host;
  }

  /**
   * Sees to it that the reply of a run's first message is an address, if it is to be one. False when the connection has to wait: an address may
   * have another owner than the topic had that it was, so what it published is to be in order.
   */
  claim(connection: Connection, message: MessageView): boolean {
    const { awaited, account } = connection;
    if (awaited.covers(message.span, message.replyStarts[0], message.replyEnds[0])) return true;
    const { interest } = this.#host.router;
    const reply = message.replyText(0);
    const find = () => inboxEntry(interest, reply, account, ({ local }) => this.#takesPlainly(connection, local));
    const found = find();
    const isNew = found !== null && !interest.hasClaimed(found);
    if (isNew && !isSettled(connection.order, this.#host.exchange)) return false;
    // a subscription may have had its last message meanwhile
    const entry = found === null ? null : find();
    if (entry !== null && !this.#isTopic(entry)) interest.claimInbox(entry);
    awaited.set(reply, entry !== null && !entry.wildcard);
    return true;
  }

  /** Whether messages have come to the very subject of an entry: others may have more of them under way, so it keeps its owner. */
  #isTopic({ wildcard, local }: InterestEntry): boolean {
    if (wildcard) return false;
    this.#host.delivery.settle();
    this.#host.router.work.units += local.length >> localShift;
    return local.some((each) => Subscription.of(each).delivered > 0);
  }

  #takesPlainly(connection: Connection, local: readonly LocalSubscription[]): boolean {
    this.#host.router.work.units += local.length >> localShift;
    return local.some((each) => each.queue === '' && Subscription.of(each).connection === connection);
  }
}
