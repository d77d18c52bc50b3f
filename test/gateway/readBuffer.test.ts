import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstReadBytesMin, firstReadsBytesMax, readBufferBytes } from '../../src/base/limits.js';
import { ReadBuffer } from '../../src/gateway/readBuffer.js';

// Invariant 25 of docs/INVARIANTS.md.

test('a crowd is read little each at first, whoever is alone all that there is room for, and so is who fills its part', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -400, max: 600 }), { maxLength: 8 }), (changes) => {
      const buffer = new ReadBuffer(new Uint8Array(readBufferBytes));
      let sockets = 0;
      for (const change of changes) {
        const by = Math.max(change, -sockets);
        for (let i = 0; i < Math.abs(by); i++) by > 0 ? buffer.join() : buffer.leave();
        sockets += by;
        const first = buffer.room(false).length;
        expect(buffer.room(true)).toBe(buffer.bytes);
        expect(buffer.room(false).buffer).toBe(buffer.bytes.buffer);
        expect(first).toBeGreaterThanOrEqual(firstReadBytesMin);
        if (first > firstReadBytesMin) expect(first * sockets).toBeLessThanOrEqual(firstReadsBytesMax);
        if (first < readBufferBytes) expect(2 * first * sockets).toBeGreaterThan(firstReadsBytesMax);
      }
    }),
  );
});
