import { expect, test } from 'vitest';
import { Addressing } from '../../src/shard/addressing.js';

// Invariant 33 of docs/INVARIANTS.md.

/** For senders alone: nothing is sent. */
function addressingAlone(): Addressing {
  return new Addressing(undefined as never, [], 0);
}

function senderNoting(heard: [string, number, number][], name: string) {
  return { onUndelivered: (gateway: number, sequence: number) => void heard.push([name, gateway, sequence]) };
}

test('each sender hears of its own messages, and of none once it has left', () => {
  const addressing = addressingAlone();
  const heard: [string, number, number][] = [];
  const [a, b] = ['a', 'b'].map((name) => addressing.enter(senderNoting(heard, name))) as [number, number];
  addressing.onUndelivered(2, b, 2 ** 40);
  addressing.leave(a);
  addressing.onUndelivered(1, a, 1);
  addressing.onUndelivered(1, 0, 1);
  expect(heard).toEqual([['b', 2, 2 ** 40]]);
});

test('a token is not given to another sender: not while it is in use, nor soon after', () => {
  const addressing = addressingAlone();
  const tokens = Array.from({ length: 1_000 }, () => {
    const token = addressing.enter(senderNoting([], ''));
    if (token % 2 === 0) addressing.leave(token);
    return token;
  });
  expect(new Set(tokens).size).toBe(tokens.length);
  expect(tokens).not.toContain(0);
});
