import { mainAccount } from '../../src/base/account.js';
import type { Demand } from '../../src/base/demand.js';
import { Span } from '../../src/base/span.js';
import type { Order } from '../../src/options/brokerOptions.js';
import type { LocalSubscription } from '../../src/router/interestEntry.js';
import { Router } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';

/** One announcement of a router about its own gateway's interest. */
export type Announcement =
  | { subject: string; wanted: Demand; crowd?: number }
  | { subject: string; inbox: true }
  | { subject: string; queue: string; members: number; room: number };

/** A router with what it announced. */
export class RouterUnderTest {
  readonly announced: Announcement[] = [];
  readonly router: Router;

  constructor(self: number, shards: number, order: Order = 'topic', now = () => performance.now()) {
    this.router = new Router(
      { self, shards, endpoints: shards, order, hashSeed: 7, now },
      {
        announceInbox: (subject) => this.announced.push({ subject, inbox: true }),
        announcePlain: (subject, wanted, crowd) =>
          this.announced.push(crowd === 0 ? { subject, wanted } : { subject, wanted, crowd }),
        announceQueue: (subject, queue, members, room) => this.announced.push({ subject, queue, members, room }),
        announceService: () => {},
      },
      () => {},
    );
  }

  /** The topic of a subject, with its interest looked up. */
  topic(subject: string, account = mainAccount): Topic {
    const span = new Span(Buffer.from(subject, 'latin1'));
    const topic = this.router.topics.obtain(span, 0, span.bytes.length, account);
    this.router.freshen(topic);
    return topic;
  }
}

export const subscriptionTo = (
  subject: string,
  queue = '',
  lossy = false,
  account = mainAccount,
): LocalSubscription => ({
  account,
  subject,
  queue,
  lossy,
  heldBytes: 100,
  retired: false,
  index: 0,
});

/** A plan that says when it was retired. */
export class FakePlan {
  readonly units = 0;
  readonly heldBytes: number;
  retired = 0;

  constructor(heldBytes = 0) {
    this.heldBytes = heldBytes;
  }

  retire(): void {
    this.retired++;
  }
}
