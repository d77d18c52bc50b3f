import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runMessagesMax, sharedRunBytesMax } from '../../src/base/limits.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { SharedRun } from '../../src/gateway/commands/sharedRun.js';
import { bodyStart, requestSubject } from '../../src/shard/requestParts.js';

// A request that shares a topic comes with all that it said: subject, reply and payload.

const word = fc.string({ unit: fc.constantFrom('a', '7', '-', '\xff'), minLength: 1, maxLength: 20 });
const rest = fc.array(word, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'));
const payload = fc.oneof(
  fc.string({ unit: fc.constantFrom(' ', '\r', '\n', 'x', '\0'), maxLength: 40 }),
  fc.nat(40_000).map((length) => 'p'.repeat(length)),
);
const request = fc.record({ rest, reply: word, payload });
const prefix = '$JS.ACK.S.C.';

test('requests are read by who answers as they were published', () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 300 }), fc.boolean(), (requests, withReplies) => {
      const run = new SharedRun();
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
