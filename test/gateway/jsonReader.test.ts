import { expect, test } from 'vitest';
import { jsonLinesPerTurn } from '../../src/base/limits.js';
import { JsonReader } from '../../src/gateway/doors/jsonReader.js';
import { jsonDialects } from '../../src/protocol/jsonDialect.js';
import { idleConnection } from './connections.js';
import { NoCommands } from './noCommands.js';

/** Counts what is carried out. */
class Counts extends NoCommands {
  pings = 0;
  comesBack = 0;

  override note(): void {
    this.pings++;
  }

  override comeBack(): void {
    this.comesBack++;
  }
}

const ping = '{"command":"PING"}\n';

test.each([
  [jsonLinesPerTurn - 1, [jsonLinesPerTurn - 1]],
  [jsonLinesPerTurn, [jsonLinesPerTurn]],
  [jsonLinesPerTurn + 1, [jsonLinesPerTurn, 1]],
  [3 * jsonLinesPerTurn, [jsonLinesPerTurn, jsonLinesPerTurn, jsonLinesPerTurn]],
])('of %i lines that came at once so many are carried out a turn: %j', (lines, turns) => {
  const counts = new Counts();
  const reader = new JsonReader(
    { maxControlLineBytes: 1024, maxPayloadBytes: 1024 } as never,
    counts,
    jsonDialects(() => 0),
  );
  const connection = idleConnection(1);
  const bytes = Buffer.from(ping.repeat(lines));
  const seen: number[] = [];
  let position = 0;
  do {
    const before = counts.pings;
    position = reader.read(connection, bytes, position, bytes.length);
    seen.push(counts.pings - before);
    expect(position).toBe(counts.pings * ping.length);
    // whoever is parked comes back by itself
    expect(counts.comesBack).toBe(reader.outcome === 'parked' ? seen.length : seen.length - 1);
  } while (reader.outcome === 'parked');
  expect(seen).toEqual(turns);
});
