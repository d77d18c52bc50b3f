import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyBytes } from '../../src/base/bytes.js';
import { copySpan, Span } from '../../src/base/span.js';

const guard = 0xee;
/** Doubles that are no numbers, and one that equals another: a copy through doubles must not touch their bits. */
const noNumber = fc.constantFrom(
  [1, 0, 0, 0, 0, 0, 0xf0, 0x7f],
  [0x34, 0x12, 0, 0, 0, 0, 0xf4, 0xff],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0, 0, 0, 0, 0, 0, 0, 0x80],
);
const bytes = fc.oneof(
  fc.uint8Array({ minLength: 0, maxLength: 300 }),
  fc
    .tuple(fc.nat(9), fc.array(noNumber, { maxLength: 30 }))
    .map(([before, doubles]) => new Uint8Array([...new Uint8Array(before), ...doubles.flat()])),
);

/** A span that is no whole buffer, so that an offset taken twice or never shows. */
function spanWithin(content: Uint8Array): Span {
  const around = new Uint8Array(content.length + 20).fill(guard);
  around.set(content, 7);
  return new Span(around.subarray(7, 7 + content.length));
}

test.each([
  ['copySpan', copySpan],
  [
    'copyBytes',
    (target: Span, at: number, source: Span, start: number, end: number) =>
      copyBytes(target.bytes, at, source.bytes, start, end),
  ],
])('%s copies just what it should, whatever the alignment', (_, copy) => {
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(), fc.nat(9), (content, a, b, at) => {
      const [start, end] = [a % (content.length + 1), b % (content.length + 1)].sort((x, y) => x - y) as [
        number,
        number,
      ];
      const target = spanWithin(new Uint8Array(at + end - start + 9).fill(guard));
      expect(copy(target, at, spanWithin(content), start, end)).toBe(at + end - start);
      const expected = new Uint8Array(target.bytes.length).fill(guard);
      expected.set(content.subarray(start, end), at);
      expect(target.bytes).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});
