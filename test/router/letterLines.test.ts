import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { deadLetterMessagesMax, workMovedPerTurn } from '../../src/base/limits.js';
import type { DeadLetterNotes } from '../../src/protocol/deadLetter.js';
import type { DeadLetters, LetterSender } from '../../src/router/deadLetters.js';
import { LetterLines, type LosingSubscription } from '../../src/router/letterLines.js';

// Invariant 23 of docs/INVARIANTS.md.

function losing(deadLetter: string): LosingSubscription {
  return { queue: '', dropped: 1, letters: { deadLetter, account: mainAccount, rights: null } };
}

test('lines are served alike, are bounded, and one that cannot go on holds up no other', () => {
  const posted = new Map<string, number>();
  const reasons = new Set<string>();
  const released: number[] = [];
  const letters = {
    post: ({ deadLetter }: LetterSender, _: unknown, { reason }: DeadLetterNotes) => {
      reasons.add(reason);
      if (deadLetter === 'stuck') return 'waits';
      posted.set(deadLetter, (posted.get(deadLetter) ?? 0) + 1);
      return 'gone';
    },
  };
  const lines = new LetterLines<LosingSubscription, number>(letters as unknown as DeadLetters, {
    show: () => {},
    bytesOf: () => 1,
    subjectOf: () => 'a',
    release: (message) => void released.push(message),
  });
  const add = (subscription: LosingSubscription, count: number): void => {
    for (let i = 0; i < count; i++) if (lines.hasRoom(subscription, false)) lines.add(subscription, 'drop-old', i);
  };
  // far more that are stuck than are looked at in a turn
  for (let i = 0; i < 3 * workMovedPerTurn; i++) add(losing('stuck'), 1);
  const [one, other] = [losing('one'), losing('other')];
  add(one, deadLetterMessagesMax + 5);
  add(other, 10);
  expect(lines.lost).toBe(5);
  expect(lines.hasRoom(other, true)).toBe(false);
  for (let turns = 0; turns < 4; turns++) lines.doWork();
  expect([...posted.keys()].sort()).toEqual(['one', 'other']);
  for (let turns = 0; turns < 4 * deadLetterMessagesMax; turns++) lines.doWork();
  expect([...posted].sort()).toEqual([
    ['one', deadLetterMessagesMax],
    ['other', 10],
  ]);
  expect([...reasons]).toEqual(['drop-old']);
  expect(released).toHaveLength(deadLetterMessagesMax + 10);
  lines.clear();
  expect(lines.any).toBe(false);
  expect(lines.lost).toBe(6 + 3 * workMovedPerTurn);
});
