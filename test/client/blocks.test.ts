import { expect, test } from 'vitest';
import { Blocks } from '../../src/client/blocks.js';
import { RouterUnderTest } from '../router/brokerModel.js';

const afterMs = 2_000;

test('a topic is blocked until the last that blocks it lets go, and warned of once when that takes long', () => {
  const said: unknown[] = [];
  let nowMs = 0;
  const blocks = new Blocks(
    (...blocked) => said.push(blocked),
    () => nowMs,
  );
  const warn = (): void => blocks.warn(afterMs, (subject) => said.push(subject));
  const topic = new RouterUnderTest(0, 1).topic('a');
  blocks.add(topic);
  nowMs = 1_000;
  blocks.add(topic);
  nowMs = afterMs - 1;
  warn();
  blocks.release('a');
  nowMs = afterMs;
  warn();
  warn();
  blocks.release('a');
  blocks.add(topic);
  warn();
  expect(said).toEqual([['a', true], 'a', ['a', false], ['a', true]]);
  expect(blocks.size).toBe(1);
});
