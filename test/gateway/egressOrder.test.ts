import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Audience, Audiences } from '../../src/gateway/audience.js';
import type { Connection } from '../../src/gateway/connection.js';
import { Egress } from '../../src/gateway/egress.js';
import { Loopback, quietEvents, readBytes, roomyLimits, testDoor } from './connections.js';
import { headOf, runOf, wireOf } from './messages.js';

const connectionsMax = 4;
const member = fc.uniqueArray(fc.nat(connectionsMax - 1), { minLength: 1, maxLength: connectionsMax });
const size = fc.oneof({ weight: 6, arbitrary: fc.nat(100) }, { weight: 2, arbitrary: fc.nat(9_000) }, fc.nat(300_000));
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('deliver' as const), to: member, size, run: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('write' as const), to: fc.nat(connectionsMax - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), from: fc.nat(connectionsMax - 1) }) },
);

/** Open audiences have no member in common, and every connection knows the one that it is in. */
function expectDisjoint(audiences: Iterable<Audience>, connections: readonly Connection[]): void {
  const open = new Map<Connection, Audience>();
  for (const audience of audiences) {
    if (!audience.open) continue;
    for (const each of audience.members) {
      expect(open.has(each)).toBe(false);
      open.set(each, audience);
    }
  }
  for (const connection of connections) expect(connection.output.openAudience).toBe(open.get(connection) ?? null);
}

/** How many connections fell behind, those that are written to by a stream first: an order that only quick connections keep would be no proof. */
const behind = [0, 0];

// Invariant 12
test('every connection, written to directly or by TLS, gets all that it was sent, byte for byte, in the order it was delivered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
      const loopback = await Loopback.open(connectionsMax, testDoor, (id) => id % 2 === 0);
      const connections = loopback.pairs.map((pair) => pair.connection);
      const flush = () => {
        egress.flush();
        if (egress.waiting) setImmediate(flush);
      };
      const egress = new Egress(roomyLimits, { ...quietEvents, onOwed: () => setImmediate(flush) });
      const audiences = new Audiences();
      const used = new Set<Audience>();
      const sent = connections.map(() => '');
      const received = connections.map(() => '');
      let deliveries = 0;
      for (const [i, each] of steps.entries()) {
        if (each.kind === 'deliver') {
          const audience = audiences.intern(each.to.map((index) => connections[index]!));
          used.add(audience);
          const payload = String.fromCharCode(97 + (i % 26)).repeat(each.size);
          const payloads = [payload, ...Array.from({ length: each.run }, (_, j) => payload.slice(j * 7))];
          egress.deliverRun(audience, [headOf(`t.${i}`, 's')], runOf(payloads), true);
          const wire = payloads.map((one) => wireOf(`t.${i}`, 's', one)).join('');
          for (const index of each.to) sent[index] += wire;
          deliveries += each.to.length * payloads.length;
        } else if (each.kind === 'write') {
          const connection = connections[each.to]!;
          used.add(connection.solo);
          egress.write(connection, Buffer.from('PONG\r\n'));
          sent[each.to] += 'PONG\r\n';
        } else if (each.kind === 'flush') egress.flush();
        else {
          const chunk = loopback.pairs[each.from]!.client.read() as Buffer | null;
          received[each.from] += chunk?.toString('latin1') ?? '';
        }
        expectDisjoint(used, connections);
      }
      egress.flush();
      expectDisjoint(used, connections);
      for (const { id, pendingBytes } of connections) if (pendingBytes > 0) behind[id % 2]!++;
      expect(egress.waiting).toBe(false);
      expect(egress.delivered).toBe(deliveries);
      expect(egress.pendingBytes).toBe(connections.reduce((sum, connection) => sum + connection.pendingBytes, 0));
      for (const [index, { client }] of loopback.pairs.entries()) {
        received[index] += await readBytes(client, sent[index]!.length - received[index]!.length);
        expect(received[index] === sent[index]).toBe(true);
      }
      loopback.close();
    }),
    { numRuns: 60 },
  );
  expect(Math.min(...behind)).toBeGreaterThan(0);
});
