import { expect, test } from 'vitest';
import { Slices } from '../../src/shard/streams/slices.js';

test('walks take steps in turn, one that waits keeps nobody else waiting, and none is quiet before it has ended', async () => {
  let turnsAsked = 0;
  const slices = new Slices(() => turnsAsked++);
  const steps: string[] = [];
  let goOn!: () => void;
  const waiting = slices.run(
    (function* () {
      steps.push('asks');
      yield new Promise<void>((resolve) => {
        goOn = resolve;
      });
      steps.push('goes on');
      return 1;
    })(),
  );
  const other = slices.run(
    (function* () {
      for (let i = 0; i < 3; i++) {
        steps.push(`step ${i}`);
        yield;
      }
      return 2;
    })(),
  );
  while (slices.doWork());
  expect(await other).toBe(2);
  expect(steps).toEqual(['asks', 'step 0', 'step 1', 'step 2']);
  expect(slices.quiet).toBe(false);
  const before = turnsAsked;
  goOn();
  await new Promise(setImmediate);
  expect(turnsAsked).toBe(before + 1);
  expect(slices.doWork()).toBe(false);
  expect(await waiting).toBe(1);
  await new Promise(setImmediate);
  expect(slices.quiet).toBe(true);
});

test('what a walk throws is what its run rejects with', async () => {
  const slices = new Slices(() => {});
  const run = slices.run(
    (function* () {
      yield;
      throw new Error('no');
    })(),
  );
  while (slices.doWork());
  await expect(run).rejects.toThrow('no');
  expect(slices.quiet).toBe(true);
});
