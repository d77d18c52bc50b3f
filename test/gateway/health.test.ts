import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { closeLingerMs, pacedPingBytes } from '../../src/base/limits.js';
import type { Connection } from '../../src/gateway/connection.js';
import type { Egress } from '../../src/gateway/egress.js';
import { Health } from '../../src/gateway/health.js';
import type { GatewayLimits } from '../../src/gateway/options.js';
import { Pacing } from '../../src/gateway/policies/pacing.js';
import { idleConnection, strangeConnection, subscribed } from './connections.js';

const limits = { authTimeoutMs: 2_000, pingIntervalMs: 10_000, pingMax: 2, writeDeadlineMs: 5_000 } as GatewayLimits;

let nowMs = 0;
let events: string[];
let connections: Map<number, Connection>;
let health: Health;

beforeEach(() => {
  nowMs = 1_000;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  events = [];
  connections = new Map();
  const egress = { write: (_: Connection, bytes: Uint8Array) => events.push(Buffer.from(bytes).toString().trim()) };
  health = new Health(limits, egress as unknown as Egress, {
    onStale: () => events.push('stale'),
    onAuthTimeout: () => events.push('auth timeout'),
    onWriteDeadline: () => events.push('write deadline'),
    onLingered: () => events.push('lingered'),
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

function begin({ authenticated = true, pendingBytes = 0 } = {}): Connection {
  const connection = authenticated ? idleConnection(connections.size + 1) : strangeConnection(connections.size + 1);
  if (pendingBytes > 0) connection.output.pending = { bytes: pendingBytes } as never;
  connections.set(connection.id, connection);
  health.begin(connection);
  return connection;
}

/** Lets time go by in ticks; `meanwhile` happens before each. */
function pass(ms: number, meanwhile: () => void = () => {}): string[] {
  events.length = 0;
  for (const endMs = nowMs + ms; nowMs < endMs; ) {
    nowMs += 100;
    meanwhile();
    health.tick(connections, nowMs);
  }
  return [...events];
}

test('a silent client is asked as often as may be, then is stale', () => {
  begin();
  expect(pass(9_000)).toEqual([]);
  expect(pass(2_000)).toEqual(['PING']);
  expect(pass(10_000)).toEqual(['PING']);
  expect(pass(10_000)).toEqual(['stale']);
});

test('a client that says something is not asked, nor one that waits for us', () => {
  const active = begin();
  expect(pass(60_000, () => active.clock.hear())).toEqual([]);
  connections.clear();
  begin().input.parked = new Uint8Array(1);
  expect(pass(60_000)).toEqual([]);
});

test('a client is asked an interval after it was last heard, not two', () => {
  const connection = begin();
  connection.clock.hear();
  expect(pass(2_000)).toEqual([]);
  expect(pass(9_000)).toEqual(['PING']);
});

test('a client has to say who it is in time, once', () => {
  begin({ authenticated: false });
  expect(pass(1_800)).toEqual([]);
  expect(pass(600)).toEqual(['auth timeout']);
  expect(pass(2_000)).toEqual([]);
});

test('a client that takes nothing for too long runs into the write deadline; one that takes a little does not', () => {
  const connection = begin({ pendingBytes: 1 });
  connection.clock.hear();
  connection.output.progressMs = nowMs;
  const takesSome = () => {
    connection.output.progressMs = nowMs - 100;
    connection.clock.hear();
  };
  expect(pass(8_000, takesSome)).toEqual([]);
  expect(pass(4_500)).toEqual([]);
  expect(pass(1_000)[0]).toBe('write deadline');
});

test('one that is being closed is only waited for so long', () => {
  const connection = begin({ pendingBytes: 1 });
  connection.enter('closing', 'test');
  health.linger(connection);
  expect(pass(closeLingerMs - 100)).toEqual([]);
  expect(pass(600)).toEqual(['lingered']);
});

test('one that conflates is ended when it owes an answer that something waits for, and its input does not wait', () => {
  const connection = begin();
  const pacing = new Pacing(nowMs);
  connection.backlogs.pacing = pacing;
  pacing.sent(pacedPingBytes);
  expect(pass(9_000)).toEqual([]);
  connection.backlogs.line(subscribed(connection, 'a', '1'));
  expect(pass(4_000)).not.toContain('write deadline');
  pacing.answered(nowMs);
  pacing.sent(pacedPingBytes);
  expect(pass(4_000)).not.toContain('write deadline');
  connection.input.parked = new Uint8Array(1);
  expect(pass(9_000)).not.toContain('write deadline');
  connection.input.parked = null;
  expect(pass(4_000)).not.toContain('write deadline');
  expect(pass(2_000)).toContain('write deadline');
});
