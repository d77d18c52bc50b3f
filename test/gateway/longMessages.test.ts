import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pendingWriteBytes, turnSendBytes } from '../../src/base/limits.js';
import { Audiences } from '../../src/gateway/audience.js';
import type { Chunk } from '../../src/gateway/chunkPool.js';
import type { Connection } from '../../src/gateway/connection.js';
import { Egress } from '../../src/gateway/egress.js';
import { idleConnection, quietEvents, roomyLimits } from './connections.js';
import { headOf, messageOf } from './messages.js';

// Invariant 25 of docs/INVARIANTS.md: what is sent in a turn has a bound, however many read a long message.

/** A reader whose transport takes so much at a time, and says when it has room again. */
class Reader {
  readonly connection: Connection;
  takes = Number.POSITIVE_INFINITY;
  received = '';
  receivedBytes = 0;
  #written: (() => void) | null = null;
  readonly #keeps: boolean;

  constructor(id: number, keeps = false) {
    this.#keeps = keeps;
    this.connection = idleConnection(id);
    Object.assign(this.connection, {
      socket: { destroyed: false },
      transport: {
        offer: (chunk: Chunk, start: number, end: number) => {
          const taken = Math.min(this.takes, end - start);
          this.takes -= taken;
          this.#take(chunk, start, start + taken);
          return taken;
        },
        write: (chunk: Chunk, start: number, end: number, onWritten: () => void) => {
          expect(this.#written).toBe(null);
          this.#written = () => {
            this.#take(chunk, start, end);
            onWritten();
          };
        },
      },
    });
  }

  /** Has room again. */
  read(takes: number): void {
    this.takes = takes;
    const written = this.#written;
    this.#written = null;
    written?.();
  }

  #take(chunk: Chunk, start: number, end: number): void {
    this.receivedBytes += end - start;
    if (this.#keeps) this.received += chunk.buffer.toString('latin1', start, end);
  }
}

const longBytes = 1_000_000;

function crowd(count: number) {
  const readers = Array.from({ length: count }, (_, i) => new Reader(i + 1));
  const egress = new Egress(roomyLimits, quietEvents);
  const audience = new Audiences().intern(readers.map(({ connection }) => connection));
  const deliver = (length = longBytes) =>
    egress.deliver(audience, headOf('a', '1'), messageOf('x'.repeat(length)), 0, true);
  const total = () => readers.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
  return { readers, egress, deliver, total };
}

test('a long message goes to some of its readers in a turn, to the others in the next ones, and is there once', () => {
  const { readers, egress, deliver, total } = crowd(100);
  deliver();
  let turns = 0;
  do {
    const before = total();
    egress.flush();
    expect(total() - before).toBeLessThanOrEqual(turnSendBytes + longBytes + 100);
    expect(egress.heldBytes).toBeLessThan(2 * longBytes);
  } while (++turns < 100 && egress.waiting);
  expect(turns).toBeGreaterThan(10);
  expect(new Set(readers.map(({ receivedBytes }) => receivedBytes)).size).toBe(1);
  expect([egress.pendingBytes, egress.heldBytes]).toEqual([0, 0]);
});

test('so does one of 64 KB to a thousand readers', () => {
  const { egress, deliver, total } = crowd(1000);
  deliver(65_536);
  egress.flush();
  expect(total()).toBeLessThanOrEqual(turnSendBytes + 66_000);
  expect(egress.heldBytes).toBeLessThan(2 * 66_000);
});

test('those who take nothing share a long message, and one that ends leaves it to the others', () => {
  const { readers, egress, deliver } = crowd(20);
  for (const reader of readers) reader.takes = 0;
  for (let i = 0; i < 3; i++) {
    deliver();
    egress.flush();
  }
  for (let i = 0; i < 20; i++) egress.flush();
  expect(egress.pendingBytes).toBeGreaterThan(20 * 3 * longBytes);
  expect(egress.heldBytes).toBeLessThan(4 * longBytes);
  egress.discard((readers[0] as Reader).connection);
  expect(egress.heldBytes).toBeGreaterThan(3 * longBytes);
  for (const { connection } of readers.slice(1)) egress.discard(connection);
  expect([egress.pendingBytes, egress.heldBytes]).toEqual([0, 0]);
});

test('a message of 64 KB that many wait for is there once for all that were behind when it came', () => {
  const { readers, egress, deliver } = crowd(40);
  for (const reader of readers) reader.takes = 0;
  const oneBytes = 65_536;
  deliver(oneBytes);
  egress.flush();
  const firstBytes = egress.heldBytes;
  for (let i = 0; i < 50; i++) {
    deliver(oneBytes);
    egress.flush();
  }
  expect(egress.pendingBytes).toBeGreaterThan(40 * 50 * oneBytes);
  expect(egress.heldBytes).toBeLessThan(firstBytes + 52 * oneBytes);
  for (const { connection } of readers) egress.discard(connection);
  expect([egress.pendingBytes, egress.heldBytes]).toEqual([0, 0]);
});

test('those who read again all at once are sent some in a turn, too', () => {
  const { readers, egress, deliver, total } = crowd(50);
  for (const reader of readers) reader.takes = 0;
  for (let i = 0; i < 3; i++) deliver();
  egress.flush();
  for (let i = 0; i < 100; i++) egress.flush();
  for (let turn = 0; egress.pendingBytes > 0; turn++) {
    expect(turn).toBeLessThan(200);
    const before = total();
    for (const reader of readers) reader.read(Number.POSITIVE_INFINITY);
    // each has been written one piece of what was in flight before, and nobody more once it is enough
    expect(total() - before).toBeLessThanOrEqual(turnSendBytes + pendingWriteBytes + longBytes + 50 * 256 * 1024);
    egress.flush();
  }
  expect(new Set(readers.map(({ receivedBytes }) => receivedBytes)).size).toBe(1);
});

test('who is owed is served in every turn, however much goes to others between two of them', () => {
  const { readers, egress, deliver } = crowd(12);
  const greedy = readers.slice(0, 6);
  for (const reader of greedy) reader.takes = 0;
  for (let i = 0; i < 4; i++) deliver();
  egress.flush();
  // the greedy are sent more than a turn's part before each turn ends
  for (let turn = 0; turn < 3; turn++) {
    deliver();
    for (const reader of greedy) reader.read(2_000_000);
    egress.flush();
  }
  for (const { receivedBytes } of readers.slice(6)) expect(receivedBytes).toBeGreaterThan(0);
});

test('every connection gets its messages whole and in order, whatever waits', () => {
  const step = fc.oneof(
    fc.record({ to: fc.nat(3), length: fc.oneof(fc.nat(200), fc.constantFrom(60_000, 300_000, 600_000)) }),
    fc.record({ reads: fc.nat(2), takes: fc.constantFrom(0, 1000, 100_000, 2_000_000) }),
    fc.constant('flush' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const readers = [1, 2, 3].map((id) => new Reader(id, true));
      const egress = new Egress(roomyLimits, quietEvents);
      const all = new Audiences().intern(readers.map(({ connection }) => connection));
      const expected = ['', '', ''];
      let count = 0;
      const deliver = (to: number, length: number) => {
        const text = String(count++).padEnd(length + 8, '.');
        const audience = to === 3 ? all : (readers[to] as Reader).connection.solo;
        egress.deliver(audience, headOf('a', '1'), messageOf(text), 0, true);
        for (let i = 0; i < 3; i++) if (to === 3 || to === i) expected[i] += `MSG a 1 ${text.length}\r\n${text}\r\n`;
      };
      for (const one of steps) {
        if (one === 'flush') egress.flush();
        else if ('to' in one) deliver(one.to, one.length);
        else (readers[one.reads] as Reader).read(one.takes);
      }
      for (let i = 0; i < 50; i++) {
        egress.flush();
        for (const reader of readers) reader.read(Number.POSITIVE_INFINITY);
      }
      for (let i = 0; i < 3; i++) expect((readers[i] as Reader).received === expected[i]).toBe(true);
      expect([egress.pendingBytes, egress.heldBytes]).toEqual([0, 0]);
    }),
    { numRuns: 100 },
  );
});
