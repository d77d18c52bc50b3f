import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classifySubject, isWildcardSubject, type SubjectKind } from '../../src/protocol/subject.js';

const token = String.raw`[^.\x00-\x20\x7f]+`;
const valid = new RegExp(`^${token}(\\.${token})*$`);
const early = /(^|\.)>\./;
const wildcard = /(^|\.)(\*|>$)(\.|$)/;

/** The rules once more, as regular expressions. */
function kindOf(subject: string): SubjectKind {
  if (!valid.test(subject) || early.test(subject)) return 'invalid';
  return wildcard.test(subject) ? 'wildcard' : 'literal';
}

const likely = fc.string({
  unit: fc.constantFrom(...'abA1$_-.....***>>>', ' ', '\t', '\x7f', '\0', '\x80', '\xff'),
  maxLength: 9,
});
const anything = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

test('a subject is what the rules say', () => {
  fc.assert(
    fc.property(
      fc.oneof({ weight: 4, arbitrary: likely }, anything),
      fc.string({ maxLength: 3 }),
      (subject, around) => {
        const before = Buffer.from(around, 'latin1');
        const bytes = Buffer.concat([before, Buffer.from(subject, 'latin1'), before]);
        const kind = kindOf(subject);
        expect(classifySubject(bytes, before.length, before.length + subject.length)).toBe(kind);
        if (kind !== 'invalid') expect(isWildcardSubject(subject)).toBe(kind === 'wildcard');
      },
    ),
    { numRuns: 3000 },
  );
});

test.each<[string, SubjectKind]>([
  ['', 'invalid'],
  ['.', 'invalid'],
  ['a', 'literal'],
  ['a.', 'invalid'],
  ['.a', 'invalid'],
  ['a..b', 'invalid'],
  ['a b', 'invalid'],
  ['*', 'wildcard'],
  ['>', 'wildcard'],
  ['a.*.b', 'wildcard'],
  ['a.>', 'wildcard'],
  ['>.a', 'invalid'],
  ['a.>.b', 'invalid'],
  ['a*', 'literal'],
  ['a>b.c>', 'literal'],
  ['**', 'literal'],
  ['$SYS.REQ', 'literal'],
  ['\xe4.\xff', 'literal'],
])('%j is %s', (subject, kind) => {
  expect(classifySubject(Buffer.from(subject, 'latin1'), 0, subject.length)).toBe(kind);
});
