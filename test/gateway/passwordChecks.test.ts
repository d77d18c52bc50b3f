import fc from 'fast-check';
import { expect, test } from 'vitest';
import { passwordsWaitingMax, rightPasswordsMax, wrongPasswordsMax } from '../../src/base/limits.js';
import type { ConnectionState } from '../../src/gateway/connection/phase.js';
import { LoginOverloadError, PasswordChecks } from '../../src/gateway/logins/passwordChecks.js';
import { makePasswordMemory } from '../../src/gateway/logins/passwordMemo.js';

/** A comparison that ends when the test says so. */
class Slow {
  /** Passwords in the order in which their comparison began. */
  readonly begun: string[] = [];
  underWay = 0;
  #end: (() => void) | null = null;

  readonly compare = (given: string, hash: string): Promise<boolean> => {
    this.begun.push(given);
    this.underWay++;
    return new Promise((resolve) => {
      this.#end = () => {
        this.underWay--;
        resolve(given === hash);
      };
    });
  };

  /** Ends the one under way, and lets all know of it. */
  async end(): Promise<void> {
    this.#end?.();
    this.#end = null;
    await new Promise(setImmediate);
  }

  async endAll(): Promise<void> {
    while (this.underWay > 0) await this.end();
  }
}

class Attempt {
  state: ConnectionState = 'open';
  readonly remoteAddress: string;

  constructor(remoteAddress = '192.0.2.1') {
    this.remoteAddress = remoteAddress;
  }
}

function scene(): { slow: Slow; checks: PasswordChecks } {
  const slow = new Slow();
  return { slow, checks: new PasswordChecks(slow.compare, makePasswordMemory()) };
}

const later = async (answer: boolean | Promise<boolean>): Promise<boolean> => answer;

test('a password is compared once, for all who give it, then and afterwards', async () => {
  const { slow, checks } = scene();
  const answers = Array.from({ length: 1000 }, () => later(checks.matches('right', 'right', new Attempt())));
  await slow.endAll();
  expect(await Promise.all(answers)).toEqual(Array(1000).fill(true));
  expect(checks.matches('right', 'right', new Attempt())).toBe(true);
  expect(slow.begun).toEqual(['right']);
});

test('another hash is another question', async () => {
  const { slow, checks } = scene();
  const first = later(checks.matches('old', 'old', new Attempt()));
  await slow.endAll();
  const second = later(checks.matches('old', 'new', new Attempt()));
  await slow.endAll();
  expect([await first, await second]).toEqual([true, false]);
});

test('a right password waits for one wrong one at most, however many came before it', async () => {
  const { slow, checks } = scene();
  for (let i = 0; i < 500; i++) void checks.matches(`wrong ${i}`, 'right', new Attempt());
  const right = later(checks.matches('right', 'right', new Attempt()));
  await slow.end();
  await slow.end();
  expect(await right).toBe(true);
  expect(slow.begun.slice(0, 2)).toEqual(['wrong 0', 'right']);
  await slow.endAll();
});

test('what is known to be right to one gateway is known to all', async () => {
  const memory = makePasswordMemory();
  const slow = new Slow();
  const [one, other] = [new PasswordChecks(slow.compare, memory), new PasswordChecks(slow.compare, memory)];
  for (let i = 0; i < 2 * rightPasswordsMax; i++) {
    const first = later(one.matches(`${i}`, `${i}`, new Attempt()));
    await slow.endAll();
    expect([await first, other.matches(`${i}`, `${i}`, new Attempt())]).toEqual([true, true]);
  }
  expect(other.matches('0', `${2 * rightPasswordsMax - 1}`, new Attempt())).toBeInstanceOf(Promise);
});

test('an address that goes on and on has its turns, and no more', async () => {
  const { slow, checks } = scene();
  const flood = (i: number) => void checks.matches(`wrong ${i}`, 'right', new Attempt());
  for (let i = 0; i < 5; i++) flood(i);
  const right = later(checks.matches('right', 'right', new Attempt('192.0.2.2')));
  for (let i = 5; i < 100; i++) flood(i);
  for (let i = 100; i < 103; i++) {
    await slow.end();
    flood(i);
  }
  expect(await right).toBe(true);
  await slow.endAll();
});

test('a password for whom nobody waits any more is not compared', async () => {
  const { slow, checks } = scene();
  const attempts = Array.from({ length: 10 }, () => new Attempt());
  const answers = attempts.map((attempt, i) => later(checks.matches(`${i}`, 'right', attempt)));
  for (const [i, attempt] of attempts.entries()) if (i !== 0 && i !== 7) attempt.state = 'closing';
  await slow.endAll();
  expect(slow.begun).toEqual(['0', '7']);
  expect(await Promise.all(answers)).toEqual(Array(10).fill(false));
  expect(checks.size).toBe(0);
});

test('what waits is bounded: whoever has most of it loses the oldest', async () => {
  const { slow, checks } = scene();
  const answers: Promise<unknown>[] = [];
  const ask = (given: string, address: string) =>
    answers.push(later(checks.matches(given, 'right', new Attempt(address))).catch((error: unknown) => error));
  ask('first', 'a');
  for (let i = 0; i < 10; i++) ask(`b ${i}`, 'b');
  for (let i = 0; i < 10_000; i++) ask(`c ${i}`, 'c');
  expect(checks.size).toBe(passwordsWaitingMax);
  await slow.endAll();
  const refused = (await Promise.all(answers)).map((answer) => answer instanceof LoginOverloadError);
  const left = passwordsWaitingMax - 11;
  expect(refused).toEqual([...Array(11).fill(false), ...Array(10_000 - left).fill(true), ...Array(left).fill(false)]);
});

test('no number of wrong passwords has the right one forgotten', async () => {
  const { slow, checks } = scene();
  const answers = [later(checks.matches('right', 'right', new Attempt()))];
  for (let i = 0; i < 2 * wrongPasswordsMax; i++) {
    answers.push(later(checks.matches(`${i}`, 'right', new Attempt())));
    await slow.end();
  }
  await slow.endAll();
  await Promise.all(answers);
  expect(checks.matches('right', 'right', new Attempt())).toBe(true);
});

test('a comparison that fails is told to who waits for it, and the next begins', async () => {
  const compare = async (given: string) => {
    if (given === 'bad') throw new Error('no thread');
    return true;
  };
  const checks = new PasswordChecks(compare, makePasswordMemory());
  const bad = later(checks.matches('bad', 'hash', new Attempt()));
  const good = later(checks.matches('good', 'hash', new Attempt()));
  await expect(bad).rejects.toThrow('no thread');
  expect(await good).toBe(true);
});

const step = fc.record({
  given: fc.constantFrom('right', 'w1', 'w2', 'w3', 'w4'),
  address: fc.constantFrom('a', 'b', 'c'),
  goes: fc.boolean(),
  ends: fc.boolean(),
});

test('whatever comes in whatever order: one at a time, each once, and every answer that is awaited is right', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { slow, checks } = scene();
      const asked = [];
      for (const { given, address, goes, ends } of steps) {
        const attempt = new Attempt(address);
        asked.push({ given, attempt, answer: later(checks.matches(given, 'right', attempt)) });
        if (goes) attempt.state = 'closed';
        if (ends) await slow.end();
        expect(slow.underWay).toBeLessThanOrEqual(1);
      }
      await slow.endAll();
      expect(checks.size).toBe(0);
      expect(new Set(slow.begun).size).toBe(slow.begun.length);
      for (const { given, attempt, answer } of asked)
        if (attempt.state === 'open') expect(await answer).toBe(given === 'right');
    }),
    { numRuns: 300 },
  );
});
