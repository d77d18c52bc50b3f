import { expect, test } from 'vitest';
import { turnUnits } from '../../src/base/limits.js';
import { Turn } from '../../src/base/turn.js';
import { cost, Work } from '../../src/base/work.js';
import type { Connection } from '../../src/gateway/connection.js';
import { NatsReader } from '../../src/gateway/doors/natsReader.js';
import { Ingress } from '../../src/gateway/ingress.js';
import { Shares } from '../../src/gateway/shares.js';
import { idleConnection } from './connections.js';
import { NoCommands } from './noCommands.js';
import { noRetries } from './noRetries.js';

// Invariant 25 of docs/INVARIANTS.md.

test('a crowd whose input ends at once is ended over turns, each of them once', () => {
  const work = new Work();
  const shares = new Shares(work, new Turn(() => {}));
  const ended: Connection[] = [];
  const finisher = {
    finishInput: (connection: Connection) => {
      work.units += cost.end;
      ended.push(connection);
      return true;
    },
  };
  const ingress = new Ingress(shares, finisher, noRetries);
  const reader = new NatsReader({ maxControlLineBytes: 4096, maxPayloadBytes: 1024 }, new NoCommands(), work);
  const crowd = Array.from({ length: 1000 }, (_, i) => Object.assign(idleConnection(i + 1), { reader }));
  for (const connection of crowd) ingress.onEnd(connection);
  for (let turns = 0; ended.length < crowd.length; turns++) {
    expect(work.units).toBeLessThanOrEqual(turnUnits + 2 * cost.end);
    expect(turns).toBeLessThan(crowd.length);
    work.nextTurn();
    shares.serve((connection) => ingress.goOn(connection));
  }
  expect(ended).toEqual(crowd);
  expect(ingress.parkedCount).toBe(0);
});
