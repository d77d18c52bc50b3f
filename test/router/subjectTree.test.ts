import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isWildcardSubject, subjectMatches, subjectsOverlap } from '../../src/protocol/subject.js';
import { SubjectTree } from '../../src/router/subjectTree.js';
import { heapBytes } from '../heap.js';

const name = fc.constantFrom('a', 'b', 'ab', '*a', '$SYS');
const literal = fc.array(name, { minLength: 1, maxLength: 7 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('*')), { maxLength: 6 }), fc.oneof(name, fc.constantFrom('*', '>')))
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

test('patterns that take some subjects one token longer than a prefix, but not all, are noticed, and no others', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 12 }), literal, (patterns, prefix) => {
      const tree = new SubjectTree<string>();
      const all = [...new Set(patterns)].filter(isWildcardSubject);
      for (const each of all) tree.add(each, true, each);
      const lastOf = (text: string) => text.slice(text.lastIndexOf('.') + 1);
      const some = all.some(
        (each) => subjectMatches(each, `${prefix}.${lastOf(each)}`) && !subjectMatches(each, `${prefix}.other`),
      );
      expect(tree.tellsApart(prefix)).toBe(some);
    }),
    { numRuns: 1000 },
  );
});

test('patterns that take subjects behind a prefix are noticed, and no others', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 6 }), literal, (patterns, prefix) => {
      const tree = new SubjectTree<string>();
      const all = [...new Set(patterns)].filter(isWildcardSubject);
      for (const each of all) tree.add(each, true, each);
      expect(tree.takesBehind(`${prefix}.`)).toBe(all.some((each) => subjectsOverlap(each, `${prefix}.>`)));
    }),
    { numRuns: 1000 },
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

test('a long pattern costs a few times its length, whatever its tokens are, and no text that it shared outlives it', () => {
  const tree = new SubjectTree<string>();
  const count = 500;
  const tail = Array.from({ length: 2_000 }, () => 'a').join('.');
  const patterns = (from: number): string[] =>
    Array.from({ length: count }, (_, i) => [`n${from + i}.*.${tail}`, `m.${tail}.*.${from + i}`]).flat();
  for (const subject of patterns(0)) tree.add(subject, true, '');
  for (const subject of patterns(0)) tree.remove(subject, true);
  const before = heapBytes();
  const added = patterns(count);
  const texts = heapBytes();
  for (const subject of added) tree.add(subject, true, subject);
  expect(heapBytes() - texts).toBeLessThan(2.5 * count * 2 * tail.length);
  // each leaves the beginning that it shares with the next
  for (let i = 1; i < added.length; i += 2) tree.remove(added[i], true);
  tree.add('m.*', true, 'm.*');
  for (let i = 0; i < added.length; i += 2) tree.remove(added[i], true);
  added.length = 0;
  expect(heapBytes() - before).toBeLessThan(200_000);
  expect(matches(tree, 'm.a')).toEqual(['m.*']);
});

test('a match tells what it cost: nodes, however many patterns there are beside them', () => {
  const tree = new SubjectTree<string>();
  for (let i = 0; i < 10_000; i++) tree.add(`other.${i}.*`, true, '');
  expect(tree.match('a.b.c', [])).toBeLessThan(5);
  for (let bits = 0; bits < 1 << 10; bits++)
    tree.add([...Array(10).keys()].map((i) => (bits & (1 << i) ? 'a' : '*')).join('.'), true, '');
  expect(tree.match(Array(10).fill('a').join('.'), [])).toBeGreaterThan(1 << 10);
});

test('any number of patterns can be visited', () => {
  const tree = new SubjectTree<number>();
  for (let i = 0; i < 300_000; i++) tree.add(`t${i}.*`, true, 1);
  let visited = 0;
  tree.forEach((one) => {
    visited += one;
  });
  expect(visited).toBe(300_000);
});

test('a subject of many tokens is matched without recursion', () => {
  const tree = new SubjectTree<string>();
  const deep = Array.from({ length: 30_000 }, () => 'x').join('.');
  tree.add(`${deep}.>`, true, 'deep');
  expect(matches(tree, `${deep}.y`)).toEqual(['deep']);
  tree.remove(`${deep}.>`, true);
  expect(matches(tree, `${deep}.y`)).toEqual([]);
});
