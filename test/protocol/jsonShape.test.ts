import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonDepthMax, jsonMarksMax } from '../../src/base/limits.js';
import { isUnwieldy } from '../../src/protocol/jsonShape.js';

interface Shape {
  depth: number;
  marks: number;
}

/** What a value has, counted on the value itself. */
function shapeOf(value: unknown): Shape {
  if (typeof value !== 'object' || value === null) return { depth: 0, marks: 0 };
  const parts = Object.values(value).map(shapeOf);
  const colons = Array.isArray(value) ? 0 : parts.length;
  return {
    depth: 1 + Math.max(0, ...parts.map(({ depth }) => depth)),
    marks: 1 + colons + Math.max(0, parts.length - 1) + parts.reduce((total, { marks }) => total + marks, 0),
  };
}

const text = fc.string({ unit: fc.constantFrom('"', '\\', '{', '[', ']', '}', ',', ':', 'é', 'a'), maxLength: 30 });
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 12, withCrossShrink: true },
    text,
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(text, tie('value'), { maxKeys: 3 }),
}));
/** Long enough to be looked at. */
const padding = ' '.repeat(4097);

test('depth is that of the value, whatever stands in its strings', () => {
  fc.assert(
    fc.property(value, (each) => {
      const { depth, marks } = shapeOf(each);
      expect(marks).toBeLessThanOrEqual(jsonMarksMax);
      expect(isUnwieldy(JSON.stringify(each) + padding)).toBe(depth > jsonDepthMax);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [JSON.stringify('"\\,:{['.repeat(100_000)), false],
  [JSON.stringify(Array(jsonMarksMax).fill(0)), false],
  [JSON.stringify(Array(jsonMarksMax + 1).fill(0)), true],
  [`"${'x'.repeat(10_000)}`, false],
  ['['.repeat(jsonDepthMax) + padding, false],
  ['['.repeat(jsonDepthMax + 1) + padding, true],
])('bounds, and ends that are missing %#', (json, unwieldy) => {
  expect(isUnwieldy(json)).toBe(unwieldy);
});
