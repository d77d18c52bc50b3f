import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { shownSubject } from '../../src/base/shown.js';
import type { ShownRun } from '../../src/base/shownRun.js';
import { ShownRunWalk } from '../../src/base/shownRunWalk.js';
import { ShownRunWriter } from '../../src/base/shownRunWriter.js';
import { copySpan, placeOf, Span } from '../../src/base/span.js';
import {
  entryLengthAt,
  entryRoom,
  headerBytesAt,
  recordHeadBytes,
  sequenceAt,
  subjectBytesAt,
  timeAt,
} from '../../src/log/entryLayout.js';
import { RecordRows } from '../../src/log/recordRows.js';
import type { RecordRun } from '../../src/log/storage.js';
import { setWord } from '../../src/log/words.js';
import type { Address } from '../../src/shard/addressing.js';
import { ConsumerMessage } from '../../src/shard/consumers/consumerMessage.js';
import type { ConsumerSite } from '../../src/shard/consumers/consumerSite.js';
import { PullRequests } from '../../src/shard/consumers/pullRequests.js';
import { PushSubject } from '../../src/shard/consumers/pushSubject.js';
import { Sending } from '../../src/shard/consumers/sending.js';
import { readPull } from '../../src/stream/consumer/pullRequest.js';

// Invariant 52 of docs/INVARIANTS.md. Records that lie as entries of a journal are laid out by the kernel, others one by one: whoever asks
// gets the same.

const record = fc.record({
  subject: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('a', 'bc', 'stored.here', 'stored.heer', 'x'.repeat(300)) },
    { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom('a', '\xff', '.'), minLength: 1, maxLength: 60 }) },
  ),
  headers: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 12, max: 300 }) },
  ),
  payload: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 1, arbitrary: fc.integer({ min: 300, max: 20_000 }) },
  ),
  timeUs: fc.constantFrom(0, 999_999, 1_795_808_460_137_934),
  /** What of others lies in front of it, in bytes. */
  between: fc.oneof(
    { weight: 9, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ max: 9000, min: 8 }) },
  ),
});
type Stored = typeof record extends fc.Arbitrary<infer T> ? T : never;

const given = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 300 }),
  first: fc.constantFrom(1, 9, 95, 999_990),
  deliveries: fc.constantFrom(0, 7, 99_998),
  bytesMax: fc.constantFrom(100, 10_000, 1_000_000),
});

const inboxes = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'];
/** Who waits: where, and for how many. */
const waiting = fc.array(fc.record({ inbox: fc.constantFrom(...inboxes), batch: fc.constantFrom(1, 5, 40, 41, 120) }), {
  minLength: 1,
  maxLength: 14,
});

/** Records as a journal has them; what lies between them is not theirs. */
function laid(records: readonly Stored[], first: number): RecordRows {
  const rows = new RecordRows();
  const rooms = records.map(({ subject, headers, payload, between }) => ({
    lengthBytes: recordHeadBytes + subject.length + headers + payload + 2,
    between: entryRoom(between),
  }));
  const span = new Span(
    new Uint8Array(rooms.reduce((sum, each) => sum + each.between + entryRoom(each.lengthBytes), 0)),
  );
  let at = 0;
  for (const [row, { subject, headers, timeUs }] of records.entries()) {
    const { lengthBytes, between } = rooms[row];
    at += between;
    rows.starts[row] = at;
    span.view.setUint32(at + entryLengthAt, lengthBytes, true);
    span.view.setUint16(at + subjectBytesAt, subject.length, true);
    setWord(span.view, at + sequenceAt, first + row);
    setWord(span.view, at + timeAt, timeUs);
    span.view.setUint32(at + headerBytesAt, headers, true);
    const place = placeOf(latin1Bytes(subject));
    const bodyAt = copySpan(span, at + recordHeadBytes, place.span, 0, subject.length);
    for (let i = bodyAt; i < at + lengthBytes - 2; i++) span.bytes[i] = 33 + ((i * 7 + row) % 90);
    span.bytes.set([13, 10], at + lengthBytes - 2);
    at += entryRoom(lengthBytes);
  }
  rows.first = first;
  rows.count = records.length;
  rows.span = span;
  return rows;
}

/** The same, of which nobody knows that they lie so. */
function oneByOne(rows: RecordRows): RecordRun {
  return { first: rows.first, count: rows.count, entries: null, view: (row) => rows.view(row) };
}

/** Who is sent to now. One `Sending` for all: it takes memory of the kernel for as long as the thread lives. */
let current: Trial;
const sending = new Sending({
  collects: () => true,
  sendRun: (address: Address, _sender: number, run: ShownRun) => current.take(address, run),
} as never);

/** What goes to each address, and in which order. */
class Trial {
  readonly got = new Map<string, unknown[]>();
  readonly #topics = new Map<string, object>();
  readonly #walk = new ShownRunWalk();
  readonly addressing = {
    addressOf: (subject: Uint8Array) => ({ topic: this.#topicOf(latin1String(subject, 0, subject.length)) }),
    isTaken: () => true,
    isTakenBy: () => true,
  };
  readonly asked: number[] = [];
  readonly said: string[] = [];
  readonly consumer = {
    stream: { name: 'S' },
    name: 'consumer'.repeat(15),
    config: {
      priority_policy: 'none',
      headers_only: false,
      max_waiting: 512n,
      deliver_subject: 'to',
      deliver_group: '',
      flow_control: true,
      rate_limit_bps: 0n,
      idle_heartbeat: 0n,
      max_batch: 0n,
      max_expires: 0n,
      max_bytes: 0n,
    },
    upcoming: { count: 1 },
    again: 0,
  };
  readonly site = {
    addressing: this.addressing,
    sending,
    nowMs: () => 1,
    sayAt: (_address: Address, reply: Uint8Array, block: Uint8Array) => {
      this.said.push(`${latin1String(reply, 0, reply.length)} ${latin1String(block, 0, block.length)}`);
    },
    ask: () => {
      sending.flush();
      this.asked.push([...this.got.values()].flat().length);
      return true;
    },
  } as unknown as ConsumerSite;

  constructor() {
    current = this;
    // others have something open
    for (const other of ['other', 'another']) sending.open(this.addressing.addressOf(latin1Bytes(other)) as never, 2);
  }

  #topicOf(subject: string): object {
    const known = this.#topics.get(subject) ?? { subject };
    this.#topics.set(subject, known);
    return known;
  }

  take({ topic }: Address, run: ShownRun): void {
    const subject = (topic as unknown as { subject: string }).subject;
    const got = this.got.get(subject) ?? [];
    this.got.set(subject, got);
    this.#walk.begin(run);
    let textBytes = 0;
    while (this.#walk.next()) {
      const { span, starts, ends, shown } = this.#walk.message;
      if (shown === null) throw new Error('a message shows what it is');
      textBytes = Math.max(textBytes, shown.subjectBytes + shown.replyBytes);
      const reply = latin1String(shown.span.bytes, shown.subjectBytes, shown.subjectBytes + shown.replyBytes);
      const body = latin1String(span.bytes, starts[0], ends[0] + 2);
      got.push([shownSubject(shown), reply, [...shown.numbers], this.#walk.message.headerBytes(0), body]);
    }
    expect(run.textBytesMax).toBeGreaterThanOrEqual(textBytes);
  }
}

type Target = Pick<PushSubject, 'offerRun' | 'isReady'>;

/** Offers all records, those by themselves as far as they are not taken otherwise; returns how many were taken at a time. */
function offerAll(target: Target, records: RecordRun, deliveries: number, bytesMax: number): number {
  const taken = target.offerRun(records, records.count, bytesMax, deliveries + 1, records.count + 20);
  sending.flush();
  return taken;
}

function pulling(trial: Trial, requests: readonly { inbox: string; batch: number }[]): PullRequests {
  const pulls = new PullRequests(trial.consumer as never, trial.site, 1);
  for (const { inbox, batch } of requests)
    pulls.admit(readPull(`${batch}`, trial.consumer.config as never), latin1Bytes(inbox), false);
  return pulls;
}

test('those who wait get the same messages, in the same turns, whoever lays them out', () => {
  fc.assert(
    fc.property(given, waiting, ({ records, first, deliveries, bytesMax }, requests) => {
      const rows = laid(records, first);
      const results = [oneByOne(rows), rows].map((run) => {
        const trial = new Trial();
        const pulls = pulling(trial, requests);
        const taken = offerAll(pulls, run, deliveries, bytesMax);
        return { trial, pulls, taken };
      });
      const [one, other] = results;
      const count = Math.min(one.taken, other.taken);
      // where bytes end it is the last turn that may be whole
      if (bytesMax === 1_000_000) expect(other.taken).toBe(one.taken);
      if (count < one.taken || count < other.taken) return;
      expect(other.trial.got).toEqual(one.trial.got);
      // and whose turn it is then
      for (const { trial, pulls } of results) {
        current = trial;
        offerAll(pulls, oneByOne(rows), deliveries + count, bytesMax);
      }
      expect(other.trial.got).toEqual(one.trial.got);
      // and what each of them has not got
      for (const { pulls } of results) pulls.end('409 Over', true);
      expect(other.trial.said).toEqual(one.trial.said);
    }),
    { numRuns: 300 },
  );
});

test('what they count for whoever bounds bytes is the same', () => {
  const message = new ConsumerMessage({ stream: { name: 'S' }, name: 'C' } as never);
  const [one, other] = [new ShownRunWriter(), new ShownRunWriter()];
  fc.assert(
    fc.property(given, ({ records, first, deliveries }) => {
      const rows = laid(records, first);
      for (const writer of [one, other]) writer.clear();
      const given = message.rowsOf(rows, 0, rows.count);
      let count = 0;
      while (given !== null && count < rows.count && given.give(count, 0, other.roomBytes, true)) count++;
      if (given === null || count === 0) return;
      given.bring(count);
      const pending = rows.count + 20;
      const added = other.addRows(given, 0, deliveries + 1, pending);
      let bytes = 0;
      for (let row = 0; row < added; row++) {
        const record = rows.view(row);
        expect(message.addTo(one, record, deliveries + 1 + row, pending - row)).toBe(true);
        bytes += message.bytesOf(record.end - record.start);
      }
      expect(message.rowBytesOf(added, first, deliveries + 1, pending)).toBe(bytes);
    }),
    { numRuns: 300 },
  );
});

test('a subject gets the same messages, and is asked about the flow as early, whoever lays them out', () => {
  fc.assert(
    fc.property(given, ({ records, first, deliveries, bytesMax }) => {
      const rows = laid(records, first);
      const [one, other] = [oneByOne(rows), rows].map((run) => {
        const trial = new Trial();
        const push = new PushSubject(trial.consumer as never, trial.site, 1);
        push.look(1);
        const taken = offerAll(push, run, deliveries, bytesMax);
        return { trial, taken };
      });
      if (bytesMax === 1_000_000) expect(other.taken).toBe(one.taken);
      if (other.taken === one.taken) expect(other.trial.got).toEqual(one.trial.got);
      expect(other.trial.asked.length).toBe(one.trial.asked.length);
    }),
    { numRuns: 300 },
  );
});
