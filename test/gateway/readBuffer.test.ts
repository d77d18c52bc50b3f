import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crowdUnits, firstReadBytesMin, firstReadsBytesMax, readBufferBytes } from '../../src/base/limits.js';
import { Work } from '../../src/base/work.js';
import { ReadBuffer } from '../../src/gateway/readBuffer.js';

// Invariant 25 of docs/INVARIANTS.md.

test('a crowd is read little each at first, whoever is alone all that there is room for, and so is who brings much, but in a crowd', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -400, max: 600 }), { maxLength: 8 }), (changes) => {
      const work = new Work();
      const buffer = new ReadBuffer(new Uint8Array(readBufferBytes), work);
      let sockets = 0;
      for (const change of changes) {
        const by = Math.max(change, -sockets);
        for (let i = 0; i < Math.abs(by); i++) by > 0 ? buffer.join() : buffer.leave();
        sockets += by;
        const first = buffer.room(0).length;
        work.units = crowdUnits - 1;
        expect(buffer.room(firstReadBytesMin)).toBe(buffer.bytes);
        expect(buffer.room(firstReadBytesMin - 1).buffer).toBe(buffer.bytes.buffer);
        work.units = crowdUnits;
        expect(buffer.room(readBufferBytes).length).toBe(first);
        expect(first).toBeGreaterThanOrEqual(firstReadBytesMin);
        if (first > firstReadBytesMin) expect(first * sockets).toBeLessThanOrEqual(firstReadsBytesMax);
        if (first < readBufferBytes) expect(2 * first * sockets).toBeGreaterThan(firstReadsBytesMax);
      }
    }),
  );
});
