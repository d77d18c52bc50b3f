import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { MessageView } from '../../src/base/messageView.js';
import { Shown } from '../../src/base/shown.js';
import { ShownRun } from '../../src/base/shownRun.js';
import { Span } from '../../src/base/span.js';
import { LaneReader } from '../../src/exchange/laneReader.js';
import { Backlog, LaneWriter } from '../../src/exchange/laneWriter.js';
import { AddressedReader, AddressedWriter } from '../../src/exchange/records/addressed.js';
import { natsDialect } from '../../src/protocol/natsDialect.js';
import { Bell, createBellMemory } from '../../src/ring/bell.js';
import { createRingMemory } from '../../src/ring/layout.js';

// Invariant 33 of docs/INVARIANTS.md.

interface Case {
  /** Which of the subjects and replies it shows. */
  readonly shows: number;
  readonly numbers: readonly number[];
  readonly headers: string;
  readonly payload: string;
  /** To which of two addresses it goes. */
  readonly to: number;
}

const numbers = fc.tuple(fc.nat(9), fc.maxSafeNat(), fc.maxSafeNat(), fc.nat(4e9), fc.nat(999_999_999), fc.nat());
const oneCase: fc.Arbitrary<Case> = fc.record({
  shows: fc.nat(3),
  numbers,
  headers: fc.constantFrom('', 'NATS/1.0\r\n\r\n', 'NATS/1.0\r\na: b\r\n\r\n'),
  payload: fc.nat(400).map((length) => 'p'.repeat(length)),
  to: fc.nat(9).map((n) => (n === 0 ? 1 : 0)),
});
const texts: readonly (readonly [string, string])[] = [
  ['orders.new', '$JS.ACK.ORDERS.worker.'],
  ['orders.old', '$JS.ACK.ORDERS.worker.'],
  [`orders.${'x'.repeat(300)}`, '$JS.ACK.ORDERS.other.'],
  ['orders.new', ''],
];

function messageOf({ headers, payload, numbers: all }: Case, shown: Shown): MessageView {
  const message = new MessageView();
  message.set(new Span(latin1Bytes(`${headers}${payload}\r\n`)), 0, headers.length + payload.length);
  message.setHeaders(headers.length);
  shown.numbers.set(all);
  message.shown = shown;
  return message;
}

/** Both ends of a lane, and what was written. */
function writtenLane(cases: readonly Case[], shows: readonly Shown[]): LaneReader {
  const memory = createRingMemory(1024 * 1024);
  const bell = new Bell(createBellMemory(2), 1);
  const lane = new LaneWriter(memory, bell, new Backlog());
  const writer = new AddressedWriter(lane);
  for (const each of cases) {
    const message = messageOf(each, shows[each.shows] as Shown);
    if (!writer.join(each.to, null, 7, message)) writer.begin(each.to, null, 7, message);
  }
  lane.publish();
  return new LaneReader(memory, bell);
}

const room = new Span(takeKernelBytes(256 * 1024)!);
const head = natsDialect.head(latin1Bytes('_INBOX.address'), 'sid', null);

test.each([true, false])(
  'messages for an address share records, and the kernel writes each as it is written by itself (headers: %s)',
  (withHeaders) => {
    let records = 0;
    let messages = 0;
    fc.assert(
      fc.property(fc.array(oneCase, { minLength: 1, maxLength: 120, size: 'max' }), (cases) => {
        const shows = texts.map(([subject, reply]) => {
          const shown = new Shown();
          shown.setText(subject, reply);
          return shown;
        });
        const lane = writtenLane(cases, shows);
        const reader = new AddressedReader(lane);
        const message = new MessageView();
        const run = new ShownRun();
        const left = [...cases];
        for (const end = lane.snapshot(); lane.next(end) !== 0; lane.advance()) {
          reader.begin();
          reader.run(run);
          const { shownRuns } = head;
          const bound = shownRuns!.shownRunBytesMax(run);
          const runEnd = shownRuns!.encodeShownRun(room, 0, run, withHeaders);
          expect(runEnd).toBeLessThanOrEqual(bound);
          const byRun = latin1String(room.bytes, 0, runEnd);
          let byItself = '';
          for (; reader.left > 0; reader.skip()) {
            const expected = left.shift() as Case;
            expect([reader.to, reader.sender]).toEqual([expected.to, 7]);
            reader.view(message);
            const one = latin1String(room.bytes, 0, head.encode(room, 0, message, 0, withHeaders));
            const own = messageOf(expected, shows[expected.shows] as Shown);
            expect(one).toBe(latin1String(room.bytes, 0, head.encode(room, 0, own, 0, withHeaders)));
            byItself += one;
            messages++;
          }
          expect(byRun).toBe(byItself);
          records++;
        }
        expect(left).toEqual([]);
      }),
      { numRuns: 30 },
    );
    expect(messages).toBeGreaterThan(4 * records);
  },
);
