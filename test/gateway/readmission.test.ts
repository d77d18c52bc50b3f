import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { reviewEndsMax } from '../../src/base/limits.js';
import type { Admission } from '../../src/gateway/authenticator.js';
import type { Connection } from '../../src/gateway/connection.js';
import { Readmission } from '../../src/gateway/readmission.js';
import { defaultConnectOptions } from '../../src/protocol/connectOptions.js';
import { idleConnection } from './connections.js';

// Invariant 29 of docs/INVARIANTS.md.

/** A gateway whose password checks are answered when the test says so. */
class Host {
  readonly connections = new Map<number, Connection>();
  readonly limits = { authTimeoutMs: 2_000 };
  readonly ended = new Set<number>();
  readonly readmission = new Readmission(this);
  /** Checks under way. */
  readonly checks: (() => void)[] = [];
  verified = 0;
  authenticator = this.#authenticator(null, false);

  /** @param password null lets everybody in */
  reload(password: string | null, slow: boolean): void {
    this.authenticator = this.#authenticator(password, slow);
    void this.readmission.review();
  }

  come(id: number, pass: string | null): Connection {
    const connection = idleConnection(id);
    connection.options = { ...defaultConnectOptions, pass };
    this.connections.set(id, connection);
    return connection;
  }

  async pause(): Promise<void> {
    await new Promise(setImmediate);
  }

  fail(connection: Connection): void {
    connection.enter('closing', 'test');
    this.ended.add(connection.id);
  }

  /** Answers checks until there are none. */
  async finish(): Promise<void> {
    for (let ended = -1; this.checks.length > 0 || this.ended.size > ended; ) {
      ended = this.ended.size;
      this.checks.shift()?.();
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
  }

  #authenticator(password: string | null, slow: boolean) {
    const judge = (pass: string | null) => (password === null || pass === password ? mainAccount : null);
    return {
      required: password !== null,
      verify: ({ pass }: { pass: string | null }): Admission | Promise<Admission> => {
        this.verified++;
        if (!slow) return judge(pass);
        return new Promise((resolve) => this.checks.push(() => resolve(judge(pass))));
      },
    };
  }
}

const password = fc.constantFrom('a', 'b', 'c', null);
const event = fc.oneof(
  fc.record({ kind: fc.constant('come' as const), pass: password }),
  fc.record({ kind: fc.constant('reload' as const), pass: password, slow: fc.boolean() }),
  fc.record({ kind: fc.constant('check' as const) }),
);

test('whoever has no right by what holds in the end is ended, and nobody who always had one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
      const host = new Host();
      const came: { connection: Connection; pass: string | null; always: boolean }[] = [];
      let now: string | null = null;
      for (const happening of events) {
        if (happening.kind === 'come') {
          // who is not let in is not there
          if (now !== null && happening.pass !== now) continue;
          came.push({ connection: host.come(came.length, happening.pass), pass: happening.pass, always: true });
        } else if (happening.kind === 'reload') {
          now = happening.pass;
          for (const one of came) if (now !== null && one.pass !== now) one.always = false;
          host.reload(now, happening.slow);
        } else {
          host.checks.shift()?.();
          await new Promise(setImmediate);
        }
      }
      await host.finish();
      for (const { connection, pass, always } of came) {
        if (now !== null && pass !== now) expect(connection.state).toBe('closing');
        if (always)
          expect(connection).toMatchObject({ state: 'open', clock: { deadlineMs: 0 }, login: { authenticated: true } });
      }
    }),
  );
});

test('the same secret is verified once, however many came in with it, and one secret after the other', async () => {
  const host = new Host();
  for (let id = 0; id < 100; id++) host.come(id, ['a', 'b'][id % 2] as string);
  host.reload('a', true);
  expect(host.checks).toHaveLength(1);
  await host.finish();
  expect(host.verified).toBe(2);
  expect(host.ended.size).toBe(50);
});

test('a crowd that has no right any more is ended some a turn, and only by what holds last', async () => {
  const host = new Host();
  for (let id = 0; id < 1_000; id++) host.come(id, id < 500 ? 'a' : 'b');
  host.reload('c', false);
  let turns = 0;
  for (let before = 0; host.ended.size < 400; before = host.ended.size, turns++) {
    expect(host.ended.size - before).toBeLessThanOrEqual(reviewEndsMax);
    await host.pause();
  }
  expect(turns).toBeGreaterThan(5);
  host.reload('b', false);
  await host.finish();
  for (const [id, { state }] of host.connections) expect(state).toBe(id < 500 ? 'closing' : 'open');
});

test('who waits to be verified has the time of a login, and who is right none to keep', async () => {
  const host = new Host();
  const [right, wrong] = [host.come(1, 'a'), host.come(2, 'b')];
  host.reload('a', true);
  for (const { clock } of [right, wrong]) expect(clock.deadlineMs).toBeGreaterThan(performance.now());
  await host.finish();
  expect(right.clock.deadlineMs).toBe(0);
});

test('a connection that is being verified, or has said something else since, is left to that', async () => {
  const host = new Host();
  const [verifying, anew] = [host.come(1, 'b'), host.come(2, 'b')];
  verifying.login.beginVerifying();
  host.reload('a', true);
  anew.options = { ...defaultConnectOptions, pass: 'a' };
  await host.finish();
  expect(host.ended.size).toBe(0);
});
