import { expect, test } from 'vitest';
import { Work } from '../../src/base/work.js';
import { NatsReader } from '../../src/gateway/doors/natsReader.js';
import { idleConnection } from './connections.js';
import { NoCommands } from './noCommands.js';

// Invariant 25 of docs/INVARIANTS.md.

/** In how many turns of so many units lines are carried out that came at once. */
function turnsOf(lines: string, unitsPerTurn: number): number {
  const work = new Work();
  const reader = new NatsReader({ maxControlLineBytes: 4096, maxPayloadBytes: 1024 }, new NoCommands(), work);
  const connection = idleConnection(1);
  const bytes = Buffer.from(lines);
  let position = 0;
  for (let turns = 1; ; turns++) {
    work.nextTurn();
    work.limit = unitsPerTurn;
    position = reader.read(connection, bytes, position, bytes.length);
    if (reader.outcome !== 'yielded') return turns;
  }
}

test('a CONNECT costs what it is long, since every bracket of it may be an object', () => {
  const nested = `CONNECT {"a":${'['.repeat(1_900)}${']'.repeat(1_900)}}\r\n`;
  expect(turnsOf(nested.repeat(100), 40_000)).toBeGreaterThan(8);
  expect(turnsOf('CONNECT {"verbose":false}\r\n'.repeat(100), 40_000)).toBe(1);
});
