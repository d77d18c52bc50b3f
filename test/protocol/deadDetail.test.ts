import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAck } from '../../src/protocol/ackMessage.js';
import { deadDetail, writeDeadLetterBlock } from '../../src/protocol/deadLetter.js';
import { answerText } from '../../src/subscriber/pulling.js';

const notes = { reason: 'terminated', subject: 'jobs', group: '', deliveries: 1, dropped: 0 } as const;
const said = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary', maxLength: 2_000 }));

test('whatever a member says is one line of at most 256 bytes, of whole characters', () => {
  const holds = fc.property(said, (text) => {
    const detail = deadDetail(text);
    const bytes = Buffer.from(detail);
    expect(bytes.length).toBeLessThanOrEqual(256);
    expect(detail).not.toMatch(/\p{Cc}/u);
    if (detail === '') return;
    const lines = writeDeadLetterBlock(new Uint8Array(0), { ...notes, detail })
      .toString()
      .split('\r\n');
    expect(lines).toHaveLength(7);
    expect(lines[3]).toBe(`Shardcast-Dead-Detail: ${detail}`);
    expect(readAck(answerText('terminate', 0, detail))).toMatchObject({ verdict: 'term', reason: detail });
  });
  fc.assert(holds, { numRuns: 300 });
  expect(deadDetail('ordinary words: 1 € each')).toBe('ordinary words: 1 € each');
  expect(deadDetail(`${'x'.repeat(254)}€`)).toBe('x'.repeat(254));
});
