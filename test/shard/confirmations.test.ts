import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { Confirmations } from '../../src/shard/consumers/confirmations.js';

// Whoever wants to know that an acknowledgement lasts is told by the reply that it named, in the order in which all came.

const reply = fc.string({ unit: fc.constantFrom('a', '.', '\xff'), minLength: 1, maxLength: 300 });

test('every reply comes back once, in order, and again none', () => {
  fc.assert(
    fc.property(fc.array(fc.array(reply, { maxLength: 600 }), { minLength: 1, maxLength: 3 }), (turns) => {
      const confirmations = new Confirmations();
      for (const replies of turns) {
        for (const each of replies) confirmations.add(requestWith(each), 0);
        const told: string[] = [];
        confirmations.take((run) => {
          expect(run.count).toBeGreaterThan(0);
          for (let i = 0; i < run.count; i++) told.push(run.replyText(i));
        });
        expect(told).toEqual(replies);
      }
    }),
    { numRuns: 30 },
  );
});

function requestWith(text: string): MessageView {
  const view = new MessageView();
  view.set(new Span(Buffer.from(`..${text}`, 'latin1')), 0, 0);
  view.setReply(2, 2 + text.length);
  return view;
}
