import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packConnections, unpackConnections } from '../../src/base/packedConnections.js';
import type { ConnectionReport } from '../../src/base/reports.js';

const count = fc.maxSafeNat();
const text = fc.constantFrom('', 'a', '\0\n', 'caf\u00e9');
const report: fc.Arbitrary<ConnectionReport> = fc.record({
  account: fc.constantFrom(0, 1),
  id: count,
  kind: fc.constantFrom('nats', 'websocket', 'jsonl'),
  address: text,
  port: fc.nat(65_535),
  startMs: count,
  activeMs: count,
  end: fc.constant(null),
  rttMs: fc.double({ min: 0, noNaN: true }),
  pendingBytes: count,
  inMessages: count,
  inBytes: count,
  outMessages: count,
  outBytes: count,
  subscriptions: count,
  name: text,
  lang: text,
  version: text,
  user: fc.string(),
});

test('what is unpacked is what was packed', () => {
  fc.assert(
    fc.property(fc.array(report), (reports) => {
      expect(unpackConnections(structuredClone(packConnections(reports)))).toEqual(reports);
    }),
  );
});
