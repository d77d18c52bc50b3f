import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { NatsHead } from '../../src/protocol/encoder.js';

interface Message {
  subject: string;
  sid: string;
  reply: string;
  headers: string;
  payload: string;
}

const guard = 0xee;
const word = fc.string({ unit: fc.constantFrom(...'abc.1$\xff'), minLength: 1, maxLength: 12 });
const binary = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const message: fc.Arbitrary<Message> = fc.record({
  subject: word,
  sid: word,
  reply: fc.oneof(fc.constant(''), word),
  headers: fc.oneof(fc.constant(''), binary(60)),
  payload: fc.oneof(binary(12), binary(300)),
});

function viewOf({ reply, headers, payload }: Message, offset: number): MessageView {
  const view = new MessageView();
  const start = offset + reply.length + 1;
  const text = `${'~'.repeat(offset)}${reply}~${headers}${payload}\r\n~`;
  view.set(new Span(Buffer.from(text, 'latin1')), start, start + headers.length + payload.length);
  view.replyStart = reply === '' ? 0 : offset;
  view.replyEnd = view.replyStart + reply.length;
  view.headerBytes = headers.length;
  return view;
}

/** What goes out, by string concatenation. */
function expected({ subject, sid, reply, headers, payload }: Message, withHeaders: boolean): string {
  const between = reply === '' ? '' : `${reply} `;
  return headers !== '' && withHeaders
    ? `HMSG ${subject} ${sid} ${between}${headers.length} ${headers.length + payload.length}\r\n${headers}${payload}\r\n`
    : `MSG ${subject} ${sid} ${between}${payload.length}\r\n${payload}\r\n`;
}

test('messages of one head, one after the other, are what concatenation gives', () => {
  fc.assert(
    fc.property(
      fc.tuple(word, word),
      fc.array(fc.tuple(message, fc.boolean(), fc.nat(9)), { minLength: 1, maxLength: 5 }),
      ([subject, sid], messages) => {
        const head = new NatsHead(Buffer.from(subject, 'latin1'), Buffer.from(sid, 'latin1'));
        for (const [content, withHeaders, offset] of messages) {
          const whole = { ...content, subject, sid };
          const view = viewOf(whole, offset);
          const bound = head.bytesMax(view, 0);
          const target = new Span(new Uint8Array(offset + bound + 8).fill(guard));
          const end = head.encode(target, offset, view, 0, withHeaders);
          expect(Buffer.from(target.bytes.subarray(offset, end)).toString('latin1')).toBe(expected(whole, withHeaders));
          expect(end - offset).toBeLessThanOrEqual(bound);
          // nothing is written beyond what was reserved, nor before it
          expect(target.bytes.subarray(0, offset).every((byte) => byte === guard)).toBe(true);
          expect(target.bytes.subarray(end).every((byte) => byte === guard)).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a run is what its messages would be one by one, within its bound', () => {
  fc.assert(
    fc.property(
      word,
      word,
      fc.array(binary(80), { minLength: 1, maxLength: 20 }),
      fc.nat(9),
      (subject, sid, payloads, at) => {
        const head = new NatsHead(Buffer.from(subject, 'latin1'), Buffer.from(sid, 'latin1'));
        const view = new MessageView();
        view.span = new Span(Buffer.from(payloads.map((payload) => `~~${payload}\r\n`).join(''), 'latin1'));
        view.count = payloads.length;
        let position = 0;
        for (const [i, payload] of payloads.entries()) {
          view.starts[i] = position + 2;
          view.ends[i] = position + 2 + payload.length;
          position += payload.length + 4;
        }
        const target = new Span(new Uint8Array(at + head.runBytesMax(view) + 8).fill(guard));
        const end = head.encodeRun(target, at, view);
        const whole = payloads.map((payload) => expected({ subject, sid, reply: '', headers: '', payload }, true));
        expect(Buffer.from(target.bytes.subarray(at, end)).toString('latin1')).toBe(whole.join(''));
        expect(end - at).toBeLessThanOrEqual(head.runBytesMax(view));
        expect(target.bytes.subarray(end).every((byte) => byte === guard)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});
