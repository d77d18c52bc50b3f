import type { DeliveryHead } from '../../protocol/deliveryHead.js';
import type { Audiences } from '../audience.js';
import { PlanEntry } from '../fanoutPlan.js';
import type { Subscription } from '../subscription.js';

/**
 * Subscriptions of a topic that have a policy and whose deliveries look the same. Those whose connections keep up share an
 * audience; each of the others has a backlog.
 */
export class PolicedGroup {
  readonly head: DeliveryHead;
  readonly headers: boolean;
  readonly subscriptions: readonly Subscription[];
  /** Those that keep up. */
  shared: PlanEntry | null = null;
  /** Those that do not. */
  behind: Subscription[] = [];
  /** For which value of `Policing.splits` this holds. */
  #splits = -1;

  constructor(head: DeliveryHead, headers: boolean, subscriptions: readonly Subscription[]) {
    this.head = head;
    this.headers = headers;
    this.subscriptions = subscriptions;
  }

  /** Tells those that keep up from the others, if any connection has become one of the others or one of them since. */
  split(splits: number, audiences: Audiences): void {
    if (splits === this.#splits) return;
    const first = this.#splits < 0;
    this.#splits = splits;
    if (!first && this.#isCurrent()) return;
    this.retire();
    const keepingUp = this.subscriptions.filter(({ connection }) => !connection.backlogs.slowPath.lagging);
    this.behind = this.subscriptions.filter(({ connection }) => connection.backlogs.slowPath.lagging);
    this.shared = null;
    if (keepingUp.length === 0) return;
    const audience = audiences.intern(keepingUp.map(({ connection }) => connection));
    this.shared = new PlanEntry(audience, [this.head], this.headers, keepingUp);
  }

  /** Settles what was delivered to the shared audience into the subscriptions' own counts. */
  retire(): void {
    this.shared?.settle();
  }

  #isCurrent(): boolean {
    for (const subscription of this.behind) if (!subscription.connection.backlogs.slowPath.lagging) return false;
    if (this.shared === null) return true;
    const { members } = this.shared.audience;
    for (let i = 0; i < members.length; i++) if (members[i].backlogs.slowPath.lagging) return false;
    return true;
  }
}
