import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { MessageView } from '../../src/base/messageView.js';
import { placeOf, Span } from '../../src/base/span.js';
import { natsDialect } from '../../src/protocol/natsDialect.js';
import { AckTexts, PubAck } from '../../src/shard/streams/pubAck.js';
import { PubAckRun, replyLengthBytes } from '../../src/shard/streams/pubAckRun.js';
import { StreamAnswers } from '../../src/shard/streams/streamAnswers.js';
import type { Said } from '../../src/shard/voice.js';
import { ApiError } from '../../src/stream/api/apiError.js';
import type { Stream } from '../../src/stream/stream.js';

// Invariant 44 of docs/INVARIANTS.md.

class FakeStream {
  failure: ApiError | null = null;
  readonly name: string;
  readonly storage = { position: 0, committed: 0, nextSequence: 1 };

  constructor(name: string) {
    this.name = name;
  }
}

const inbox = fc.constantFrom('_INBOX.one.', '_INBOX.other.', 'a.b.c.d.', '');
const reply = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(inbox, fc.nat(99_999)).map(([prefix, token]) => `${prefix}${token}`) },
  { weight: 1, arbitrary: fc.constantFrom(`_INBOX.one.${'x'.repeat(5_000)}`, '_INBOX.one.a.b', 'held.1', 'held.2') },
);
const stream = fc.nat(2);
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('acks' as const),
      stream,
      replies: fc.array(reply, { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('answer' as const), stream, reply }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      stream,
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('turn' as const), room: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), stream }) },
);

const textOf = (span: Span, start: number, end: number) => latin1String(span.bytes, start, end);

/** Hears what is said, as far as there is room; runs are taken as a whole or have to come apart. */
class Hearing {
  readonly said: string[] = [];
  room = 0;
  runs = 0;
  held = true;
  readonly #takesRuns: boolean;

  constructor(takesRuns: boolean) {
    this.#takesRuns = takesRuns;
  }

  say(span: Span, start: number, end: number, message: MessageView): Said {
    if (this.room === 0) return 'no-room';
    const to = textOf(span, start, end);
    if (this.held && to.startsWith('held.')) return 'held';
    this.room--;
    expect(textOf(message.span, message.ends[0]!, message.ends[0]! + 2)).toBe('\r\n');
    this.said.push(`${to} ${textOf(message.span, message.starts[0]!, message.ends[0]!)}`);
    return 'said';
  }

  sayAll(run: MessageView): Said | 'apart' {
    if (!this.#takesRuns || run.count > this.room) return 'apart';
    const { span, starts, ends, replyStarts, replyEnds } = run;
    const to = Array.from({ length: run.count }, (_, i) => textOf(span, replyStarts[i]!, replyEnds[i]!));
    if (run.count > 1) {
      const prefixes = new Set(to.map((each) => each.slice(0, each.lastIndexOf('.') + 1)));
      expect(prefixes.size).toBe(1);
      expect(prefixes.has('')).toBe(false);
      this.runs++;
    }
    if (this.held && to.some((each) => each.startsWith('held.'))) return 'apart';
    this.room -= run.count;
    for (const [i, each] of to.entries()) this.said.push(`${each} ${textOf(span, starts[i]!, ends[i]!)}`);
    return 'said';
  }
}

/** Messages with these replies. */
function runTo(replies: readonly string[]): MessageView {
  const run = new MessageView();
  let text = '';
  for (const [i, to] of replies.entries()) {
    run.replyStarts[i] = text.length;
    run.replyEnds[i] = text.length + to.length;
    text += `${to} payload\r\n`;
  }
  run.span = new Span(latin1Bytes(text));
  run.withReplies = true;
  run.count = replies.length;
  return run;
}

test('acknowledgements are said in order, when they are committed, together or apart, and whoever is held keeps nobody waiting', () => {
  let runs = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, takesRuns) => {
      const hearing = new Hearing(takesRuns);
      const answers = new StreamAnswers(hearing, new AckTexts('hub'));
      const streams = [new FakeStream('one'), new FakeStream('two'), new FakeStream('three')];
      const acks = streams.map(({ name }) => new PubAck(name, 'hub'));
      const expected: string[] = [];
      const scratch = new Span(new Uint8Array(8 * 1024));
      const write = (index: number, to: string, sequence: number, duplicate: boolean): number => {
        const length = acks[index]!.write(scratch, { sequence, duplicate, refusal: null });
        expected.push(`${to} ${textOf(scratch, 0, length)}`);
        return length;
      };
      const addAnswer = (index: number, to: string): void => {
        const { storage, failure } = streams[index]!;
        // it refuses everything
        if (failure !== null) return;
        storage.position++;
        const length = write(index, to, storage.nextSequence++, true);
        answers.add(placeOf(latin1Bytes(to)), scratch, 0, length, 0, streams[index] as unknown as Stream);
      };
      const addAcks = (index: number, replies: readonly string[]): void => {
        const { storage, failure } = streams[index]!;
        if (failure !== null) return;
        const { prefix } = acks[index]!;
        const awaited = streams[index] as unknown as Stream;
        const first = storage.nextSequence;
        const run = runTo(replies);
        storage.nextSequence += run.count;
        storage.position += run.count;
        for (const [i, to] of replies.entries()) write(index, to, first + i, false);
        if (answers.addAcks(prefix, first, run, 0, run.count, awaited)) return;
        for (const [i, to] of replies.entries()) {
          if (answers.addAcks(prefix, first + i, run, i, 1, awaited)) continue;
          const length = acks[index]!.write(scratch, { sequence: first + i, duplicate: false, refusal: null });
          answers.add(placeOf(latin1Bytes(to)), scratch, 0, length, 0, awaited);
        }
      };
      for (const each of steps) {
        if (each.kind === 'acks') addAcks(each.stream, each.replies);
        else if (each.kind === 'answer') addAnswer(each.stream, each.reply);
        else if (each.kind === 'turn') {
          hearing.room = each.room;
          answers.doWork();
        } else {
          const { storage } = streams[each.stream]!;
          if (each.kind === 'commit')
            storage.committed += Math.round((storage.position - storage.committed) * each.part);
          else streams[each.stream]!.failure = new ApiError(503, 10077, 'failed');
        }
        const committed = (text: string) => {
          const [, name, sequence] = /"stream":"(\w+)".*"seq":(\d+)/.exec(text)!;
          return Number(sequence) <= streams.find((one) => one.name === name)!.storage.committed;
        };
        // nobody hears of what is not committed
        for (const text of hearing.said) expect(text.includes('"error"') || committed(text)).toBe(true);
      }
      hearing.held = false;
      for (const { storage } of streams) storage.committed = storage.position;
      for (let turns = 0; answers.bytes > 0; turns++) {
        expect(turns).toBeLessThan(1_000);
        hearing.room = 100;
        answers.doWork();
      }
      runs += hearing.runs;
      // each once; those who are not held, and are not told of a failure, in order
      const ordered = (texts: readonly string[]) => texts.filter((each) => !each.startsWith('held.'));
      const told = new Set(hearing.said.filter((each) => each.includes('"error"')).map(replyIn));
      const untold = (texts: readonly string[]) => ordered(texts).filter((each) => !told.has(replyIn(each)));
      expect(untold(hearing.said)).toEqual(untold(expected));
      expect(hearing.said.map(replyIn).sort()).toEqual(expected.map(replyIn).sort());
    }),
    { numRuns: Number(process.env.ACK_RUNS ?? 300) },
  );
  expect(runs).toBeGreaterThan(50);
});

function replyIn(text: string): string {
  return text.slice(0, text.indexOf(' '));
}

test('an addressed run looks the same by the kernel and by hand, whatever its sequences', () => {
  const prefix = placeOf(latin1Bytes('{"stream":"S","seq":'));
  const first = fc.oneof(
    fc.nat(300),
    fc.integer({ min: 1, max: 15 }).map((digits) => 10 ** digits - 3),
    fc.maxSafeNat(),
  );
  const room = new Span(takeKernelBytes(64 * 1024) ?? new Uint8Array(64 * 1024));
  const own = new Span(new Uint8Array(64 * 1024));
  const acks = new PubAckRun();
  fc.assert(
    fc.property(
      fc.array(fc.nat(999_999), { minLength: 1, maxLength: 60 }),
      first,
      fc.nat(80),
      fc.boolean(),
      (tokens, given, sidLength, isEmpty) => {
        const sequence = Math.min(given, Number.MAX_SAFE_INTEGER - tokens.length);
        acks.begin(
          laidReplies(tokens.map((token) => `_INBOX.one.${token}`)),
          3,
          tokens.length,
          isEmpty ? 0 : prefix.end,
        );
        expect(acks.message.count).toBe(tokens.length);
        if (isEmpty) acks.layNone();
        else acks.layTexts(prefix.span, 0, sequence);
        const sid = '7'.repeat(sidLength + 1);
        const head = natsDialect.head(latin1Bytes('_INBOX.one.*'), sid, null);
        const run = acks.message;
        const expected = tokens.map((token, i) => {
          const text = isEmpty ? '' : `{"stream":"S","seq":${sequence + i}}`;
          return `MSG _INBOX.one.${token} ${sid} ${text.length}\r\n${text}\r\n`;
        });
        for (const target of [room, own]) {
          const end = head.encodeRun(target, 5, run, true);
          expect(textOf(target, 5, end)).toBe(expected.join(''));
          expect(end - 5).toBeLessThanOrEqual(head.runBytesMax(run));
          const oneEnd = head.encode(target, 3, run, run.count - 1, true);
          expect(textOf(target, 3, oneEnd)).toBe(expected.at(-1));
          expect(oneEnd - 3).toBeLessThanOrEqual(head.bytesMax(run, run.count - 1));
        }
      },
    ),
  );
});

/** Replies, each behind its length, from the fourth byte on. */
function laidReplies(replies: readonly string[]): Span {
  const lengthsBytes = replies.reduce((sum, { length }) => sum + replyLengthBytes + length, 3);
  const span = new Span(new Uint8Array(lengthsBytes));
  let at = 3;
  for (const reply of replies) {
    span.view.setUint32(at, reply.length, true);
    span.bytes.set(latin1Bytes(reply), at + replyLengthBytes);
    at += replyLengthBytes + reply.length;
  }
  return span;
}

test('a run has the replies that follow each other as far as they are of one inbox, and there is room', () => {
  const token = fc.string({ unit: fc.constantFrom('a', '.', 'b', '\x80', '/'), maxLength: 9 });
  const beginning = fc.constantFrom('', '_INBOX.one.', 'a.', 'a.b.');
  const anyReply = fc.tuple(beginning, token).map(([first, last]) => `${first}${last}`);
  const acks = new PubAckRun();
  fc.assert(
    fc.property(fc.array(anyReply, { minLength: 1, maxLength: 20 }), (replies) => {
      const inboxOf = (text: string) => text.slice(0, text.lastIndexOf('.') + 1);
      const inbox = inboxOf(replies[0]!);
      const isNext = (text: string) => inbox !== '' && inboxOf(text) === inbox && text.length > inbox.length;
      const other = replies.findIndex((text, i) => i > 0 && !isNext(text));
      const span = laidReplies(replies);
      acks.begin(span, 3, replies.length, 10);
      const { message } = acks;
      const expected = other < 0 ? replies : replies.slice(0, other);
      const shown = Array.from({ length: message.count }, (_, i) =>
        textOf(message.span, message.replyStarts[i], message.replyEnds[i]),
      );
      expect(shown).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
  const long = `i.${'x'.repeat(4_000)}`;
  acks.begin(laidReplies(Array.from({ length: 30 }, () => long)), 3, 30, 4_000);
  expect(acks.message.count).toBeGreaterThan(1);
  expect(acks.message.count).toBeLessThan(16);
});
