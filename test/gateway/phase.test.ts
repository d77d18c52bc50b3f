import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AssertionError } from '../../src/base/assert.js';
import type { ConnectionState } from '../../src/gateway/connection/phase.js';
import { idleConnection } from './connections.js';

const order: readonly ConnectionState[] = ['open', 'closing', 'closed'];

test('a connection only ever comes nearer its end, and keeps the reason that it was first given', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...order)), (steps) => {
      const connection = idleConnection(1);
      let reached = 0;
      let reason = '';
      for (const [i, next] of steps.entries()) {
        const enter = () => connection.enter(next, `reason ${i}`);
        if (order.indexOf(next) <= reached) {
          expect(enter).toThrow(AssertionError);
          continue;
        }
        enter();
        reached = order.indexOf(next);
        reason ||= `reason ${i}`;
      }
      expect(connection).toMatchObject({ state: order[reached], closeReason: reason });
    }),
  );
});
