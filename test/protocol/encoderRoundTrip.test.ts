import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { MessageView, positionBytes } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { NatsHead } from '../../src/protocol/encoder.js';

// Invariant 36 of docs/INVARIANTS.md.

interface Message {
  subject: string;
  sid: string;
  reply: string;
  headers: string;
  payload: string;
}

const guard = 0xee;
const word = fc.string({ unit: fc.constantFrom(...'abc.1$\xff'), minLength: 1, maxLength: 12 });
/** Long enough for lines that the kernel copies in several steps. */
const longWord = fc.string({ unit: fc.constantFrom(...'abc.1$\xff'), minLength: 1, maxLength: 70 });
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
  view.setReply(offset, offset + reply.length);
  view.setHeaders(headers.length);
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
        const head = new NatsHead(Buffer.from(subject, 'latin1'), sid);
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

const rooms = [
  ['ordinary memory', (lengthBytes: number) => new Uint8Array(lengthBytes)],
  ["the kernel's memory", kernelRoom()],
] as const;

/** Gives out the same memory of the kernel again and again: enough for one run at a time. */
function kernelRoom(): (lengthBytes: number) => Uint8Array {
  const whole = takeKernelBytes(1024 * 1024)!;
  let used = 0;
  return (lengthBytes) => {
    if (used + lengthBytes + 8 > whole.length) used = 0;
    const start = used;
    used = (start + lengthBytes + 7) & ~7;
    return whole.subarray(start, start + lengthBytes);
  };
}

test.each(rooms)('a run is what its messages would be one by one, within its bound: %s', (_, room) => {
  const payload = fc.oneof(binary(20), fc.constant('x'.repeat(12)), fc.constant(''), binary(300));
  const one = fc.record({ reply: longWord, headers: longWord, payload });
  fc.assert(
    fc.property(
      fc.record({ subject: longWord, sid: word }),
      fc.array(one, { minLength: 1, maxLength: 20 }),
      fc.record({ replies: fc.boolean(), headers: fc.boolean(), shown: fc.boolean() }),
      fc.nat(9),
      ({ subject, sid }, messages, shape, at) => {
        const head = new NatsHead(Buffer.from(subject, 'latin1'), sid);
        const whole = messages.map(({ reply, headers, payload }) => ({
          subject,
          sid,
          reply: shape.replies ? reply : '',
          headers: shape.headers ? headers : '',
          payload,
        }));
        const view = new MessageView(room(positionBytes));
        const source = Buffer.from(whole.map((m) => `${m.reply}~~${m.headers}${m.payload}\r\n`).join(''), 'latin1');
        const bytes = room(source.length);
        bytes.set(source);
        view.span = new Span(bytes);
        view.count = whole.length;
        view.withReplies = shape.replies;
        view.withHeaders = shape.headers;
        let position = 0;
        for (const [i, { reply, headers, payload }] of whole.entries()) {
          view.replyStarts[i] = position;
          view.replyEnds[i] = position + reply.length;
          view.starts[i] = position + reply.length + 2;
          view.headerLengths[i] = headers.length;
          view.ends[i] = view.starts[i]! + headers.length + payload.length;
          position = view.ends[i]! + 2;
        }
        const bound = at + head.runBytesMax(view);
        const target = new Span(room(bound + 8).fill(guard));
        const end = head.encodeRun(target, at, view, shape.shown);
        const wanted = whole.map((each) => expected(each, shape.shown)).join('');
        expect(Buffer.from(target.bytes.subarray(at, end)).toString('latin1')).toBe(wanted);
        expect(end).toBeLessThanOrEqual(bound);
        expect(target.bytes.subarray(0, at).every((byte) => byte === guard)).toBe(true);
        expect(target.bytes.subarray(bound).every((byte) => byte === guard)).toBe(true);
        expect(Buffer.from(bytes).equals(source)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
