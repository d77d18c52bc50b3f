import { expect, test } from 'vitest';
import { demand } from '../../src/base/demand.js';
import { FakePlan, RouterUnderTest, subscriptionTo } from './brokerModel.js';

function planned(subject: string, ...wanted: string[]) {
  const under = new RouterUnderTest(0, 2);
  for (const each of wanted) under.router.interest.addLocal(subscriptionTo(each));
  const topic = under.topic(subject);
  const plan = new FakePlan();
  topic.plan = plan;
  return { under, interest: under.router.interest, topic, plan };
}

test.each(['other', 'a.c', 'b.*', '*.c', '_INBOX.>', '$SYS.>'])(
  'a plan is kept when the interest in %s changes',
  (subject) => {
    const { under, interest, topic, plan } = planned('a.b', 'a.b', 'a.>');
    const other = subscriptionTo(subject);
    interest.addLocal(other);
    expect(under.topic('a.b').plan).toBe(plan);
    interest.removeLocal(other);
    interest.setPlain(subject, 1, demand.all);
    expect(under.topic('a.b')).toBe(topic);
    expect(topic.plan).toBe(plan);
    expect(plan.retired).toBe(0);
  },
);

test.each(['a.b', 'a.*', 'a.>', '>', '*.b'])('a plan is retired when the interest in %s changes', (subject) => {
  const { under, interest, topic, plan } = planned('a.b', 'a.b');
  interest.addLocal(subscriptionTo(subject));
  expect(under.router.isFresh(topic)).toBe(false);
  expect(under.topic('a.b').plan).toBe(null);
  expect(plan.retired).toBe(1);
});

test('a subscription that is touched has its topics planned anew', () => {
  const { under, interest, plan } = planned('a.b', 'a.*');
  const [entry] = under.topic('a.b').entries;
  interest.touchLocal(entry!.local[0]!);
  expect(under.topic('a.b').plan).toBe(null);
  expect(plan.retired).toBe(1);
});

test('a topic that nobody wants stays fresh while others come and go', () => {
  const { under, interest, topic } = planned('a.b');
  interest.addLocal(subscriptionTo('c'));
  interest.addLocal(subscriptionTo('_INBOX.x.*'));
  expect(under.router.isFresh(topic)).toBe(true);
});

test('a subscription replaced by an equal one is seen', () => {
  const { under, interest, topic } = planned('a.b');
  const first = subscriptionTo('a.b');
  interest.addLocal(first);
  under.router.freshen(topic);
  const plan = new FakePlan();
  topic.plan = plan;
  interest.removeLocal(first);
  interest.addLocal(subscriptionTo('a.b'));
  under.router.freshen(topic);
  expect(plan.retired).toBe(1);
});
