import { expect, test } from 'vitest';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

test('without declarations everything may be used', () => {
  expect(new RouterUnderTest(0, 1).topic('anything').declared).toBe(true);
});

test('in strict mode what was declared may be used, by name or by pattern', () => {
  const under = new RouterUnderTest(0, 1);
  under.router.setDeclared(['a.b', 'prices.*', 'logs.>']);
  const allowed = ['a.b', 'prices.AAPL', 'logs.x.y'];
  const refused = ['a', 'a.b.c', 'prices', 'prices.a.b', 'logs', '_INBOX.1.2', 'A.B'];
  for (const subject of allowed) expect(under.topic(subject).allowed, subject).toBe(true);
  for (const subject of refused) expect(under.topic(subject).allowed, subject).toBe(false);
});

test('topics that are known already are judged anew', () => {
  const under = new RouterUnderTest(0, 1);
  const topic = under.topic('a');
  under.router.setDeclared([]);
  expect(topic.declared).toBe(false);
  under.router.setDeclared(['*']);
  expect(topic.declared).toBe(true);
  under.router.setDeclared(null);
  expect(under.topic('a.b').declared).toBe(true);
});

test('where answers are awaited anybody may publish, as long as they are, whatever the prefix', () => {
  const under = new RouterUnderTest(0, 1);
  under.router.setDeclared([]);
  const { interest } = under.router;
  const [some, one] = [subscriptionTo('mine.1.*'), subscriptionTo('reply')];
  for (const subscription of [some, one]) {
    interest.addLocal(subscription);
    expect(under.topic(subscription.subject.replace('*', 'x')).allowed).toBe(false);
    interest.claimInbox(interest.find(subscription.subject)!);
  }
  expect(['mine.1.x', 'reply', 'mine.1', 'mine.1.x.y', 'mine.2.x'].map((each) => under.topic(each).allowed)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  for (const subscription of [some, one]) interest.removeLocal(subscription);
  expect(['mine.1.x', 'reply'].map((each) => under.topic(each).allowed)).toEqual([false, false]);
});
