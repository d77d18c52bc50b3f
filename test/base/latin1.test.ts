import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';

test('bytes to text and back are the same bytes, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 5 }), (bytes, offset) => {
      const around = new Uint8Array(offset + bytes.length + 2);
      around.set(bytes, offset);
      const text = latin1String(around.subarray(1), offset - 1, offset - 1 + bytes.length);
      expect(text).toHaveLength(bytes.length);
      expect(latin1Bytes(text)).toEqual(bytes);
    }),
  );
});
