import fc from 'fast-check';
import { expect, test } from 'vitest';
import { complete } from '../../src/base/slices.js';
import { Span } from '../../src/base/span.js';
import { cost } from '../../src/base/work.js';
import { Audiences } from '../../src/gateway/audience.js';
import type { Connection } from '../../src/gateway/connection.js';
import { FanoutPlan } from '../../src/gateway/fanoutPlan.js';
import { Looks } from '../../src/gateway/looks.js';
import type { Subscription } from '../../src/gateway/subscription.js';
import { defaultConnectOptions } from '../../src/protocol/connectOptions.js';
import type { DeliveryHead } from '../../src/protocol/deliveryHead.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, planOf, subscribed } from './connections.js';
import { messageOf } from './messages.js';

// Invariant 39 of docs/INVARIANTS.md.

const subscription = fc.record({
  connection: fc.nat(5),
  subject: fc.constantFrom('a.b', 'a.*', 'a.>', 'other'),
  sid: fc.constantFrom('1', '2', '7'),
  queue: fc.constantFrom('', '', '', 'q', 'r'),
  maxMessages: fc.constantFrom(0, 0, 0, 3),
});

const headText = (head: DeliveryHead) => {
  const empty = messageOf('');
  const target = new Span(new Uint8Array(head.bytesMax(empty, 0)));
  const end = head.encode(target, 0, empty, 0, true);
  return Buffer.from(target.bytes.subarray(0, end)).toString('latin1').replace('0\r\n\r\n', '');
};

/** What one message would cause: connection and sid of every delivery. */
const delivery = ({ connection, sid }: Subscription) => `${connection.id} MSG a.b ${sid} `;

test('every plain subscription is in one group, with its own bytes; groups are as large as they can be', () => {
  fc.assert(
    fc.property(
      fc.array(subscription, { maxLength: 20 }),
      fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      (wanted, headers) => {
        const under = new RouterUnderTest(0, 1);
        const connections = headers.map((takes, i) => {
          const connection = idleConnection(i + 1);
          connection.options = { ...defaultConnectOptions, headers: takes };
          return connection;
        });
        const all: Subscription[] = [];
        for (const each of wanted) {
          const connection = connections[each.connection]!;
          if (connection.subscriptions.has(each.sid)) continue;
          const one = subscribed(connection, each.subject, each.sid, each.queue);
          one.maxMessages = each.maxMessages;
          under.router.interest.addLocal(one);
          all.push(one);
        }
        const plan = planOf(under.topic('a.b'));
        const taking = all.filter((each) => each.subject !== 'other');

        const planned: string[] = [];
        for (const entry of plan.entries)
          for (const member of entry.audience.members) {
            expect(member.options.headers).toBe(entry.headers);
            for (const head of entry.heads) planned.push(`${member.id} ${headText(head)}`);
          }
        const shared = taking.filter((each) => each.queue === '' && each.maxMessages === 0);
        expect(planned.sort()).toEqual(shared.map(delivery).sort());
        // no two groups could have been one
        const looks = plan.entries.map((entry) => `${entry.headers} ${entry.heads.map(headText).join()}`);
        expect(new Set(looks).size).toBe(looks.length);
        // and no connection is in two
        const members = plan.entries.flatMap((entry) => entry.audience.members as Connection[]);
        expect(new Set(members).size).toBe(members.length);

        const limited = taking.filter((each) => each.queue === '' && each.maxMessages > 0);
        expect(new Set(plan.limited.map((each) => each.subscription))).toEqual(new Set(limited));
        for (const name of ['q', 'r']) {
          const queued = taking.filter((each) => each.queue === name);
          expect(new Set(plan.queues.get(name)?.members ?? [])).toEqual(new Set(queued));
        }
        expect(taking.every((each) => each.planned)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test('a plan that is made in parts delivers what one does that is made of all', () => {
  fc.assert(
    fc.property(fc.array(subscription, { maxLength: 20 }), (wanted) => {
      const under = new RouterUnderTest(0, 1);
      const connections = Array.from({ length: 6 }, (_, i) => idleConnection(i + 1));
      for (const { connection, subject, sid, queue, maxMessages } of wanted) {
        if (connections[connection]!.subscriptions.has(sid)) continue;
        const one = subscribed(connections[connection]!, subject, sid, queue);
        one.maxMessages = maxMessages;
        under.router.interest.addLocal(one);
      }
      const topic = under.topic('a.b');
      const whole = planOf(topic);
      const looks = new Looks();
      const parts = topic.entries.map((entry) => complete(FanoutPlan.make(topic, [entry], new Audiences(), 0, looks)));
      const joined = FanoutPlan.join(parts, 1, looks);
      expect(deliveriesOf(joined)).toEqual(deliveriesOf(whole));
      expect(joined.subscriptions).toBe(whole.subscriptions);
      const unitsOf = (heads: number): number => (heads === 1 ? 1 : heads * cost.head);
      const units = joined.entries.reduce((sum, { heads }) => sum + unitsOf(heads.length), 0);
      expect(joined.units).toBe(units + joined.limited.length);
      // what one of its parts delivered is counted by it
      for (const entry of joined.entries) entry.delivered = 2;
      joined.retire();
      for (const { subscriptions } of whole.entries)
        expect(subscriptions.every(({ delivered }) => delivered === 2)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

/** Who is sent what by a plan, and how. */
function deliveriesOf({ entries, limited, queues }: FanoutPlan): unknown {
  const plain = entries.flatMap(({ audience, heads }) =>
    audience.members.flatMap((member) => heads.map((head) => `${member.id} ${headText(head)}`)),
  );
  const counted = limited.map(({ subscription, head }) => `${subscription.connection.id} ${headText(head)}`);
  const grouped = [...queues].map(([name, { members, heads }]) => [
    name,
    members.map(({ connection }, i) => `${connection.id} ${headText(heads[i]!)}`).sort(),
  ]);
  return { plain: plain.sort(), counted: counted.sort(), grouped: grouped.sort() };
}

test('what a retired plan delivered is counted once, for every subscription in it', () => {
  const under = new RouterUnderTest(0, 1);
  const subscriptions = [1, 2].map((id) => subscribed(idleConnection(id), 'a.b', '1'));
  for (const each of subscriptions) under.router.interest.addLocal(each);
  const plan = planOf(under.topic('a.b'));
  plan.entries[0]!.delivered = 5;
  plan.retire();
  plan.retire();
  expect(subscriptions.map((each) => each.delivered)).toEqual([5, 5]);
});
