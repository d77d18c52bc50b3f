import { expect, test } from 'vitest';
import { Router } from '../../src/router/router.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

/** Fixed for good: a log is found by its owner, whichever process and version wrote it. */
test.each([
  ['a', 4, 3],
  ['prices.AAPL', 4, 1],
  ['prices.MSFT', 4, 3],
  ['prices.MSFT', 7, 3],
])('the owner of %s among %i shards is %i', (subject, shards, owner) => {
  expect(Router.ownerOf(Buffer.from(subject), shards)).toBe(owner);
});

test('subjects spread evenly over any number of shards', () => {
  for (const shards of [2, 3, 4, 16]) {
    const owned = Array.from({ length: shards }, () => 0);
    for (let i = 0; i < 16_000; i++) owned[Router.ownerOf(Buffer.from(`prices.${i}`), shards)]!++;
    expect(Math.min(...owned)).toBeGreaterThan((16_000 / shards) * 0.85);
  }
});

test('by the order of publishers, every thread sequences its own', () => {
  const shards = 4;
  for (let self = 0; self < shards; self++) {
    expect(new RouterUnderTest(self, shards, 'publisher').topic('a.b').owner).toBe(self);
    expect(new RouterUnderTest(self, shards, 'topic').topic('a.b').owner).toBe(
      Router.ownerOf(Buffer.from('a.b'), shards),
    );
  }
});

test('a subject that is none has a topic that reaches nobody', () => {
  const under = new RouterUnderTest(0, 1);
  under.router.interest.addLocal(subscriptionTo('>'));
  expect(under.topic('a..b')).toMatchObject({ kind: 'invalid', wanted: false });
  expect(under.topic('a.b').wanted).toBe(true);
});
