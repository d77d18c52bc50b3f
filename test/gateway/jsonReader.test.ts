import { expect, test } from 'vitest';
import { Work } from '../../src/base/work.js';
import { JsonReader } from '../../src/gateway/doors/jsonReader.js';
import { jsonDialects } from '../../src/protocol/jsonDialect.js';
import { idleConnection } from './connections.js';
import { NoCommands } from './noCommands.js';

// Invariant 25 of docs/INVARIANTS.md.

/** Counts what is carried out. */
class Counts extends NoCommands {
  operations = 0;

  override note(): void {
    this.operations++;
  }
}

/** Carries out lines that came at once, with so many units a turn; returns how many operations each turn saw. */
function operationsByTurn(lines: string, unitsPerTurn: number): number[] {
  const counts = new Counts();
  const work = new Work();
  const limits = { maxControlLineBytes: 1024, maxPayloadBytes: 65_536 } as never;
  const reader = new JsonReader(
    limits,
    counts,
    jsonDialects(() => 0),
    work,
  );
  const connection = idleConnection(1);
  const bytes = Buffer.from(lines);
  const seen: number[] = [];
  let position = 0;
  do {
    const before = counts.operations;
    work.nextTurn();
    work.limit = unitsPerTurn;
    position = reader.read(connection, bytes, position, bytes.length);
    seen.push(counts.operations - before);
  } while (reader.outcome === 'yielded');
  expect(reader.outcome).toBe('incomplete');
  expect(position).toBe(bytes.length);
  return seen;
}

const ping = '{"command":"PING"}\n';

test('of lines that came at once a turn carries out as many as its share lasts for, and all are carried out', () => {
  const turns = operationsByTurn(ping.repeat(1000), 5000);
  const most = Math.max(...turns);
  expect(turns.reduce((sum, operations) => sum + operations)).toBe(1000);
  expect(most).toBeLessThan(500);
  // none is cut short but the last
  expect(turns.slice(0, -1).every((operations) => operations === most)).toBe(true);
});

test('every turn gets on, however little its share is', () => {
  expect(operationsByTurn(ping.repeat(5), 1)).toEqual([1, 1, 1, 1, 1]);
});

test('lines that say nothing cost their share as well', () => {
  expect(operationsByTurn('\n'.repeat(1000), 100).length).toBeGreaterThan(10);
});

test('headers cost more than the same bytes of a payload, since each is looked at', () => {
  const fields = Array.from({ length: 400 }, (_, i) => `"h${i}":"v"`).join(',');
  const headers = `{"command":"PUB","topic":"t","payload":"","headers":{${fields}}}\n`;
  const payload = `{"command":"PUB","topic":"t","payload":"${'x'.repeat(fields.length)}"}\n`;
  expect(operationsByTurn(headers.repeat(20), 20_000).length).toBeGreaterThan(5);
  expect(operationsByTurn(payload.repeat(20), 20_000).length).toBe(1);
});
