import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isWildcardSubject, subjectMatches } from '../../src/protocol/subject.js';
import { SubjectTree } from '../../src/router/subjectTree.js';
import { heapBytes } from '../heap.js';

const name = fc.constantFrom('a', 'b', 'c', '$SYS');
const literal = fc.array(name, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('*')), { maxLength: 3 }), fc.oneof(name, fc.constantFrom('*', '>')))
  .map(([tokens, last]) => [...tokens, last].join('.'));

function matches(tree: SubjectTree<string>, subject: string): string[] {
  const found: string[] = [];
  tree.match(subject, found);
  return found.sort();
}

test('after any additions and removals every subject finds just the patterns that take it', () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 40 }),
      fc.array(literal, { minLength: 1, maxLength: 10 }),
      (changes, subjects) => {
        const tree = new SubjectTree<string>();
        const model = new Set<string>();
        for (const subject of changes) {
          // named once more it goes
          if (model.delete(subject)) tree.remove(subject, isWildcardSubject(subject));
          else {
            tree.add(subject, isWildcardSubject(subject), subject);
            model.add(subject);
          }
          expect(tree.size).toBe(model.size);
          expect(tree.get(subject, isWildcardSubject(subject))).toBe(model.has(subject) ? subject : null);
        }
        for (const subject of subjects)
          expect(matches(tree, subject)).toEqual([...model].filter((each) => subjectMatches(each, subject)).sort());
      },
    ),
    { numRuns: 500 },
  );
});

test('what was added and removed leaves nothing behind', () => {
  const tree = new SubjectTree<string>();
  const useAndRemove = (from: number, count: number) => {
    for (let i = from; i < from + count; i++) {
      const patterns = [`a.${i}.*`, `a.${i}.>`, `a.*.${i}`, `b.*.${i}.>`, `_INBOX.${i}`, `c.${i}.*.${i}`, `${i}.*`];
      for (const subject of patterns) tree.add(subject, isWildcardSubject(subject), subject);
      for (const subject of patterns) tree.remove(subject, isWildcardSubject(subject));
    }
  };
  useAndRemove(0, 1_000);
  const before = heapBytes();
  useAndRemove(1_000, 20_000);
  expect(tree.size).toBe(0);
  // a single level left by each round would be some 4 MB
  expect(heapBytes() - before).toBeLessThan(1_000_000);
});

test('a subject of many tokens is matched without recursion', () => {
  const tree = new SubjectTree<string>();
  const deep = Array.from({ length: 30_000 }, () => 'x').join('.');
  tree.add(`${deep}.>`, true, 'deep');
  expect(matches(tree, `${deep}.y`)).toEqual(['deep']);
  tree.remove(`${deep}.>`, true);
  expect(matches(tree, `${deep}.y`)).toEqual([]);
});
