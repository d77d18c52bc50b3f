import { expect, test } from 'vitest';
import { RouterUnderTest } from './brokerModel.js';

test('without declarations everything may be used', () => {
  expect(new RouterUnderTest(0, 1).topic('anything').declared).toBe(true);
});

test('in strict mode what was declared may be used, by name or by pattern, and replies always', () => {
  const under = new RouterUnderTest(0, 1);
  under.router.setDeclared(['a.b', 'prices.*', 'logs.>']);
  const allowed = ['a.b', 'prices.AAPL', 'logs.x.y', '_INBOX.1.2'];
  const refused = ['a', 'a.b.c', 'prices', 'prices.a.b', 'logs', '_INBOXES.1', 'A.B'];
  for (const subject of allowed) expect(under.topic(subject).declared, subject).toBe(true);
  for (const subject of refused) expect(under.topic(subject).declared, subject).toBe(false);
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
