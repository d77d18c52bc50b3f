import fc from 'fast-check';
import { expect, test } from 'vitest';
import { subjectMatches } from '../../src/protocol/subject.js';

/** A pattern as a regular expression over the published subject. */
function regexOf(pattern: string): RegExp {
  const parts = pattern.split('.').map((token) => {
    if (token === '*') return '[^.]+';
    return token === '>' ? '.+' : token.replace(/[$]/g, '\\$&');
  });
  const hidden = /^[*>]/.test(pattern) ? String.raw`(?!\$SYS(\.|$))` : '';
  return new RegExp(`^${hidden}${parts.join('\\.')}$`);
}

const name = fc.constantFrom('a', 'b', '$SYS', '$SYSX');
const literal = fc.array(name, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('*')), { maxLength: 3 }), fc.oneof(name, fc.constantFrom('*', '>')))
  .map(([tokens, last]) => [...tokens, last].join('.'));

test('a pattern takes what its regular expression takes', () => {
  fc.assert(
    fc.property(pattern, literal, (wanted, subject) => {
      expect(subjectMatches(wanted, subject)).toBe(regexOf(wanted).test(subject));
    }),
    { numRuns: 3000 },
  );
});
