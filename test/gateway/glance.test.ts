import fc from 'fast-check';
import { expect, test } from 'vitest';
import { glanceUnits } from '../../src/base/limits.js';
import { Turn } from '../../src/base/turn.js';
import { Work } from '../../src/base/work.js';
import { Reading, type ReadingParts } from '../../src/gateway/reading.js';
import { Shares } from '../../src/gateway/shares.js';
import { idleConnection } from './connections.js';

// Invariant 25 of docs/INVARIANTS.md.

const mostUnits = 2 * glanceUnits;

/** What of a thread a crowd's reads meet: each costs some units, and something comes from other threads now and then. */
class Thread {
  readonly work = new Work();
  /** Units at which others were looked after, and whether something had come. */
  readonly glances: { units: number; came: boolean }[] = [];
  flushes = 0;
  readonly reading: Reading;
  costUnits = 0;
  comes = false;

  constructor() {
    const turn = new Turn(() => {});
    this.reading = new Reading({
      connections: new Map(),
      exchange: { drainControl: () => {}, glance: () => this.#glance() },
      ingress: {
        onRead: () => this.#cost(),
        onEnd: () => this.#cost(),
      },
      shares: new Shares(this.work, turn),
      work: this.work,
      latency: { readAt: () => 0 },
      turn: { request: () => {} },
      flush: () => {
        this.flushes++;
      },
    } as unknown as ReadingParts);
  }

  #cost(): boolean {
    this.work.units += this.costUnits;
    return true;
  }

  #glance(): boolean {
    this.glances.push({ units: this.work.units, came: this.comes });
    return this.comes;
  }
}

const event = fc.record({
  kind: fc.constantFrom('read', 'end', 'turn'),
  costUnits: fc.nat(mostUnits),
  comes: fc.boolean(),
});

test('while a crowd is read, or ends, what comes from other threads waits for little of it, and is sent out at once', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const thread = new Thread();
      let waitedUnits = 0;
      for (const { kind, costUnits, comes } of events) {
        if (kind === 'turn') {
          thread.work.nextTurn();
          waitedUnits = 0;
          continue;
        }
        Object.assign(thread, { costUnits, comes });
        const before = thread.glances.length;
        if (kind === 'read') thread.reading.onInput(idleConnection(1), 0);
        else thread.reading.onInputEnd(idleConnection(1));
        waitedUnits += costUnits;
        expect(thread.glances.length - before).toBe(waitedUnits >= glanceUnits ? 1 : 0);
        if (waitedUnits >= glanceUnits) waitedUnits = 0;
      }
      expect(thread.flushes).toBe(thread.glances.filter(({ came }) => came).length);
    }),
  );
});
