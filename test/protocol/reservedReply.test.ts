import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isReservedReply, reservedReplyPrefixes } from '../../src/protocol/subject.js';

// Invariant 26 of docs/INVARIANTS.md.

const likely = fc
  .tuple(fc.constantFrom('', ...reservedReplyPrefixes, '_INBOX.'), fc.nat(12), fc.string({ maxLength: 6 }))
  .map(([prefix, length, rest]) => prefix.slice(0, length) + rest);

test('a reply is reserved when it begins as one of the broker’s own', () => {
  fc.assert(
    fc.property(fc.oneof(likely, fc.string()), fc.string({ maxLength: 3 }), (reply, around) => {
      const text = Buffer.from(reply);
      const before = Buffer.from(around);
      const bytes = Buffer.concat([before, text, Buffer.from('JS.ACK.')]);
      const reserved = reservedReplyPrefixes.some((prefix) => reply.startsWith(prefix));
      expect(isReservedReply(bytes, before.length, before.length + text.length)).toBe(reserved);
    }),
    { numRuns: 3000 },
  );
});
