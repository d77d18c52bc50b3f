import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import type { Topic } from '../../src/router/topic.js';
import { Deferral } from '../../src/shard/streams/deferral.js';
import { DeferralQueues } from '../../src/shard/streams/deferralQueues.js';
import { ApiError } from '../../src/stream/api/apiError.js';
import { type DiskPlace, diskPlaces } from '../../src/stream/extensions.js';
import type { Stream } from '../../src/stream/stream.js';

// Invariants 44 and 46 of docs/INVARIANTS.md.

interface Message {
  readonly reply: string;
  readonly headers: string;
  readonly payload: string;
}

interface Run {
  readonly subject: string;
  readonly messages: readonly Message[];
  readonly exceptConnection: number;
  readonly syncToken: number;
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', ' '), maxLength: 40 });
const run = fc
  .record({ withReplies: fc.boolean(), withHeaders: fc.boolean(), subject: fc.constantFrom('a', 'b.c', 'd.e.f') })
  .chain(({ withReplies, withHeaders, subject }) =>
    fc.record({
      subject: fc.constant(subject),
      messages: fc.array(
        fc.record({
          reply: withReplies ? fc.constantFrom('r', 'in.box') : fc.constant(''),
          headers: withHeaders ? fc.constantFrom('NATS/1.0\r\n\r\n', 'NATS/1.0\r\nA: b\r\n\r\n') : fc.constant(''),
          payload: text,
        }),
        { minLength: 1, maxLength: 6 },
      ),
      exceptConnection: fc.nat(9),
      syncToken: fc.constantFrom(0, 2 ** 40 + 1),
    }),
  );

const step = fc.oneof(
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('add' as const), run, stream: fc.nat(1) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      stream: fc.nat(1),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('room' as const), runs: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), stream: fc.nat(1) }) },
);

/** A run as it lies in a lane or in a read buffer: replies before their messages. */
function viewOf({ messages, exceptConnection, syncToken }: Run): MessageView {
  const view = new MessageView();
  let bytes = 'before';
  for (const [i, { reply, headers, payload }] of messages.entries()) {
    view.replyStarts[i] = bytes.length;
    bytes += reply;
    view.replyEnds[i] = bytes.length;
    bytes += ' ';
    view.starts[i] = bytes.length;
    view.headerLengths[i] = headers.length;
    bytes += headers + payload;
    view.ends[i] = bytes.length;
    bytes += '\r\n';
  }
  view.span = new Span(latin1Bytes(bytes));
  view.count = messages.length;
  view.withReplies = messages[0]!.reply !== '';
  view.withHeaders = messages[0]!.headers !== '';
  view.exceptConnection = exceptConnection;
  view.syncToken = syncToken;
  return view;
}

function runOf(span: Span, start: number, end: number, view: MessageView): Run {
  const textOf = (from: number, to: number) => latin1String(view.bytes, from, to);
  const messages = Array.from({ length: view.count }, (_, i) => ({
    reply: view.replyText(i),
    headers: textOf(view.starts[i], view.payloadStart(i)),
    payload: textOf(view.payloadStart(i), view.ends[i]),
  }));
  for (let i = 0; i < view.count; i++) expect(textOf(view.ends[i], view.ends[i] + 2)).toBe('\r\n');
  const { exceptConnection, syncToken } = view;
  return { subject: latin1String(span.bytes, start, end), messages, exceptConnection, syncToken };
}

class FakeStream {
  failure: ApiError | null = null;
  readonly storage = { position: 0, committed: 0 };
  readonly diskPlace: DiskPlace;

  constructor(diskPlace: DiskPlace = 'synced') {
    this.diskPlace = diskPlace;
  }
}

const topicOf = (subject: string): Topic => {
  const bytes = latin1Bytes(subject);
  return { span: new Span(bytes), start: 0, end: bytes.length } as Topic;
};

test('what is deferred for two disks is delivered for each by itself, and where there is little room both get some', () => {
  let room = 0;
  const passed: string[] = [];
  const voice = {
    pass(span: Span, start: number, end: number) {
      if (room === 0) return false;
      room--;
      passed.push(latin1String(span.bytes, start, end));
      return true;
    },
  };
  const queues = new DeferralQueues(voice, () => {});
  const streams = { synced: new FakeStream('synced'), buffered: new FakeStream('buffered') };
  const add = (place: DiskPlace) => {
    const stream = streams[place];
    stream.storage.position++;
    const message = { reply: '', headers: '', payload: '' };
    const single = viewOf({ subject: place, messages: [message], exceptConnection: 0, syncToken: 0 });
    queues.add(topicOf(place), single, stream as unknown as Stream);
  };
  add('synced');
  const mark = queues.mark();
  for (let i = 0; i < 3; i++) add('buffered');
  streams.buffered.storage.committed = 3;
  room = 9;
  queues.doWork();
  expect(passed).toEqual(['buffered', 'buffered', 'buffered']);
  // as many have passed since the mark as had to before it, but not the same
  expect(queues.hasPassed(mark)).toBe(false);
  for (let i = 0; i < 4; i++) for (const place of diskPlaces) add(place);
  for (const { storage } of Object.values(streams)) storage.committed = storage.position;
  passed.length = 0;
  for (let i = 0; i < 6; i++) {
    room = 1;
    queues.doWork();
  }
  expect(passed.filter((place) => place === 'synced').length).toBe(3);
  expect(passed.filter((place) => place === 'buffered').length).toBe(3);
  expect(queues.hasPassed(mark)).toBe(true);
});

test('runs are delivered as they were, in order, when they are committed and there is room', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const passed: Run[] = [];
      const told: number[] = [];
      const refused: number[] = [];
      let room = 0;
      const pass = (...given: Parameters<typeof runOf>) => {
        if (room === 0) return false;
        room--;
        passed.push(runOf(...given));
        return true;
      };
      const deferral = new Deferral({ pass }, (token) => told.push(token));
      const streams = [new FakeStream(), new FakeStream()];
      const waiting: { run: Run; stream: FakeStream; position: number }[] = [];
      const expected: Run[] = [];
      for (const each of steps) {
        const stream = streams['stream' in each ? each.stream : 0]!;
        const { storage } = stream;
        if (each.kind === 'add') {
          storage.position += each.run.messages.length;
          waiting.push({ run: each.run, stream, position: storage.position });
          deferral.add(topicOf(each.run.subject), viewOf(each.run), stream as unknown as Stream);
        } else if (each.kind === 'commit') {
          storage.committed += Math.round((storage.position - storage.committed) * each.part);
        } else if (each.kind === 'fail') stream.failure = new ApiError(503, 10077, 'failed');
        else room = each.runs;
        let roomLeft = room;
        for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
          const isCommitted = first.stream.storage.committed >= first.position;
          if (!isCommitted && first.stream.failure === null) break;
          // who waits for it is told at once, and once
          if (!isCommitted && first.run.syncToken !== 0) {
            refused.push(first.run.syncToken);
            first.run = { ...first.run, syncToken: 0 };
          }
          if (roomLeft-- === 0) break;
          expected.push(waiting.shift()!.run);
        }
        deferral.doWork();
        expect(told).toEqual(refused);
        expect(passed).toEqual(expected);
        expect(deferral.deferred - deferral.passed).toBe(waiting.length);
        expect(deferral.bytes === 0).toBe(waiting.length === 0);
      }
    }),
    { numRuns: 300 },
  );
});
