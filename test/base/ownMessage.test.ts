import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { OwnMessage, ownBytes } from '../../src/base/ownMessage.js';
import { Span } from '../../src/base/span.js';

// Invariant 4 of docs/INVARIANTS.md: what is kept on its way arrives whole.

const messages = fc.record({
  reply: fc.nat(300),
  headers: fc.nat(300),
  payload: fc.nat(300),
  exceptConnection: fc.nat(9),
  syncToken: fc.nat(9),
  returns: fc.nat(0x7fff),
  before: fc.nat(20),
  at: fc.nat(20),
});

const textOf = ({ bytes }: MessageView, start: number, end: number) => latin1String(bytes, start, end);

function said(view: MessageView): unknown[] {
  const { exceptConnection, syncToken, returns, starts, ends } = view;
  const withEnd = textOf(view, starts[0]!, ends[0]! + 2);
  return [view.count, view.replyText(0), withEnd, view.headerBytes(0), exceptConnection, syncToken, returns];
}

test('a copy of its own says what the message did, after its bytes are used for others', () => {
  fc.assert(
    fc.property(messages, ({ reply, headers, payload, before, at, ...marks }) => {
      const view = Object.assign(new MessageView(), marks);
      const text = `${'#'.repeat(before)}${'r'.repeat(reply)} ${'h'.repeat(headers)}${'p'.repeat(payload)}\r\n`;
      const bytes = latin1Bytes(text);
      view.set(new Span(bytes), before + reply + 1, bytes.length - 2);
      view.setReply(before, before + reply);
      view.setHeaders(headers);
      const expected = said(view);
      const own = new OwnMessage();
      const kept = new Span(new Uint8Array(at + ownBytes(view, 0)));
      own.copy(view, 0, kept, at);
      bytes.fill(0);
      const shown = new MessageView();
      own.showAt(kept, at, shown);
      expect(said(shown)).toEqual(expected);
    }),
  );
});
