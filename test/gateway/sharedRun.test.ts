import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { runMessagesMax, sharedRunBytesMax } from '../../src/base/limits.js';
import { MessageView } from '../../src/base/messageView.js';
import { placeOf, Span } from '../../src/base/span.js';
import { SharedRun } from '../../src/gateway/commands/sharedRun.js';
import { bodyStart, requestSubject } from '../../src/shard/requestParts.js';

// A request that shares a topic comes with all that it said: subject, reply and payload. Invariant 50 of docs/INVARIANTS.md.

const word = fc.string({ unit: fc.constantFrom('a', '7', '-', '\xff'), minLength: 1, maxLength: 20 });
const rest = fc.array(word, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'));
const payload = fc.oneof(
  fc.string({ unit: fc.constantFrom(' ', '\r', '\n', 'x', '\0'), maxLength: 40 }),
  fc.nat(40_000).map((length) => 'p'.repeat(length)),
);
const request = fc.record({ rest, reply: word, payload });
const prefix = '$JS.ACK.S.C.';
/** One for all: it takes memory of the kernel for good. */
const run = new SharedRun();
const input = new Span(takeKernelBytes(256 * 1024) as Uint8Array);

test('requests are read by who answers as they were published', () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 300 }), fc.boolean(), (requests, withReplies) => {
      run.clear();
      let added = 0;
      let bytes = 0;
      for (const each of requests) {
        const lines = lineOf(each, withReplies);
        bytes += each.rest.length + each.payload.length + 3 + (withReplies ? each.reply.length : 0);
        if (!run.add(lines, prefix.length, 0)) break;
        added++;
      }
      const { message } = run;
      const topic = { kind: 'shared', text: `${prefix}\0` } as const;
      const read = Array.from({ length: message.count }, (_, i) => ({
        rest: requestSubject(topic, message, i).slice(prefix.length),
        reply: message.replyText(i),
        payload: textOf(message, bodyStart(topic, message, i), message.ends[i]),
      }));
      expect(read).toEqual(requests.slice(0, added).map((each) => ({ ...each, reply: withReplies ? each.reply : '' })));
      // what has room is taken
      if (added < requests.length) expect(added === runMessagesMax || bytes > sharedRunBytesMax).toBe(true);
    }),
    { numRuns: 200 },
  );
});

const numbers = fc.array(fc.nat(99_999).map(String), { minLength: 1, maxLength: 6 }).map((tokens) => tokens.join('.'));
/** Most are as the kernel takes them. */
const line = fc.record({
  keyword: fc.oneof({ weight: 20, arbitrary: fc.constant('PUB') }, fc.constantFrom('pub', 'HPUB', 'SUB')),
  subject: fc.oneof(
    { weight: 20, arbitrary: numbers.map((each) => `${prefix}${each}`) },
    fc.constantFrom(prefix, `${prefix}1..2`, `${prefix}.1`, `${prefix}1.`, `${prefix}1.a`, '$JS.ACK.S.D.1', 'x'),
  ),
  reply: fc.oneof({ weight: 20, arbitrary: fc.constantFrom(' r.1', ' _INBOX.a.22') }, fc.constantFrom('', ' ', ' r 1')),
  payload: fc.oneof({ weight: 20, arbitrary: fc.constantFrom('', '+ACK', '+OK') }, fc.constantFrom('0123456789', '\n')),
});
/** How the lines end: whole, or in the middle of the last one. */
const cutBytes = fc.oneof(fc.constant(0), fc.nat(30));

test('lines that the kernel lays out are those that a parser reads, as it reads them', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 300 }), fc.boolean(), cutBytes, (lines, withReplies, cut) => {
      const texts = lines.map(({ keyword, subject, reply, payload: body }) =>
        [`${keyword} ${subject}${withReplies ? reply : ''} ${body.length}`, body, ''].join('\r\n'),
      );
      const text = texts.join('');
      // what an earlier read has left behind it looks like more of it
      const end = Math.max(0, text.length - cut);
      input.bytes.fill('1.'.charCodeAt(1), end, end + 64);
      input.bytes.set(Buffer.from(text, 'latin1').subarray(0, end));
      run.layLines(
        { base: input.address, position: 0, end, lineBytesMax: 4096 },
        placeOf(Buffer.from(prefix)),
        withReplies,
      );
      const { message, lineEnds, payloadBytes } = run;
      let bytes = 0;
      let at = 0;
      for (let i = 0; i < message.count; i++) {
        const { keyword, subject, reply, payload: body } = lines[i]!;
        at += texts[i]!.length;
        bytes += body.length;
        expect(payloadBytes[i]).toBe(bytes);
        const laid = [message.replyText(i), textOf(message, message.starts[i]!, message.ends[i]! + 2), lineEnds[i]];
        expect(laid).toEqual([withReplies ? reply.slice(1) : '', `${subject.slice(prefix.length)} ${body}\r\n`, at]);
        expect([keyword.toUpperCase(), subject.startsWith(prefix), at <= end]).toEqual(['PUB', true, true]);
      }
      const isPlain = lines.findIndex((each) => !isLaid(each, withReplies));
      const whole = texts.findIndex((_, i) => texts.slice(0, i + 1).join('').length > end);
      const expected = [isPlain, whole, lines.length].filter((count) => count >= 0);
      expect(message.count).toBe(Math.min(runMessagesMax, ...expected));
    }),
    { numRuns: 300 },
  );
});

function isLaid(
  { keyword, subject, reply, payload: body }: typeof line extends fc.Arbitrary<infer T> ? T : never,
  withReplies: boolean,
): boolean {
  if (keyword.toUpperCase() !== 'PUB' || !/^\d+(\.\d+)*$/.test(subject.slice(prefix.length))) return false;
  return subject.startsWith(prefix) && body.length < 10 && (!withReplies || /^ \S+$/.test(reply));
}

function lineOf(each: typeof request extends fc.Arbitrary<infer T> ? T : never, withReplies: boolean) {
  const subject = `${prefix}${each.rest}`;
  const text = `${subject} ${each.reply} ${each.payload}\r\n`;
  const message = new MessageView();
  const replyStart = subject.length + 1;
  const start = replyStart + each.reply.length + 1;
  message.set(new Span(Buffer.from(text, 'latin1')), start, start + each.payload.length);
  if (withReplies) message.setReply(replyStart, start - 1);
  return { message, subjectStart: 0, subjectEnd: subject.length };
}

function textOf({ bytes }: MessageView, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1');
}
