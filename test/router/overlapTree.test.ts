import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OverlapTree } from '../../src/protocol/overlapTree.js';
import { subjectsOverlap } from '../../src/protocol/subject.js';
import { subjectsMeet } from '../../src/stream/configRules.js';

const token = fc.constantFrom('a', 'b', '*', '$SYS', '$JS');
const pattern = fc
  .tuple(fc.array(token, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, open]) => [...tokens.slice(0, open ? 3 : 4), ...(open ? ['>'] : [])].join('.'));

describe.each([
  ['subscriptions', true, subjectsOverlap],
  ['streams', false, subjectsMeet],
])('patterns as %s have them', (_, hides, overlap) => {
  test('one that overlaps is found where there is one, whatever came and went', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 12 }), fc.array(fc.nat()), pattern, (added, gone, wanted) => {
        const tree = new OverlapTree(hides);
        const there = new Set(added);
        for (const each of there) tree.add(each);
        for (const index of gone) {
          const each = [...there][index % (there.size || 1)];
          if (each === undefined) continue;
          tree.delete(each);
          there.delete(each);
        }
        const expected = [...there].filter((each) => overlap(each, wanted));
        const found = tree.overlapping(wanted, '');
        expect(found === null).toBe(expected.length === 0);
        if (found !== null) expect(expected).toContain(found);
        expect(tree.overlapping(wanted) === null).toBe(expected.every((each) => each === wanted));
      }),
      { numRuns: 5_000 },
    );
  });
});
