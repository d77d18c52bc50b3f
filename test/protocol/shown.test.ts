import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { MessageView } from '../../src/base/messageView.js';
import { Shown } from '../../src/base/shown.js';
import { Span } from '../../src/base/span.js';
import type { DeliveryHead } from '../../src/protocol/deliveryHead.js';
import { jsonDialects } from '../../src/protocol/jsonDialect.js';
import { natsDialect } from '../../src/protocol/natsDialect.js';

// Invariant 33 of docs/INVARIANTS.md.

interface Case {
  readonly subject: string;
  readonly reply: string;
  readonly numbers: readonly number[];
  readonly headers: string;
  readonly payload: string;
}

const guard = 0xee;
const { text, json } = jsonDialects(() => 1_700_000_000_000);
const dialects = [natsDialect, text, json];
const token = fc.string({ unit: fc.constantFrom(...'abc.1$"\\\xff\xc3\xa4\x7f'), minLength: 1, maxLength: 40 });
const subject = fc.oneof(token, fc.constant('s'.repeat(4096)));
const reply = fc.oneof(
  fc.constant(''),
  token.map((name) => `$JS.ACK.${name}.`),
  fc.constant(`$JS.ACK.${'n'.repeat(510)}.`),
);
/** Numbers around those at which the number of digits changes, too. */
const whole = fc.oneof(
  fc.nat(20),
  fc.maxSafeNat(),
  fc.tuple(fc.nat(15), fc.nat(2)).map(([digits, more]) => Math.max(0, 10 ** digits - 1 + more)),
);
const numbers = fc.tuple(whole, whole, whole, fc.nat(4_000_000_000), fc.nat(999_999_999), whole);
const headers = fc.constantFrom('', 'NATS/1.0\r\n\r\n', 'NATS/1.0\r\na: b\r\nShardcast-Key: "k"\r\n\r\n');
const payload = fc
  .oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 300 }))
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const shownCase: fc.Arbitrary<Case> = fc.record({ subject, reply, numbers, headers, payload });

const latin1 = (value: string) => new Uint8Array(Buffer.from(value, 'latin1'));

/** The reply in full, by what JavaScript has for numbers of any size. */
function replyOf({
  reply: beginning,
  numbers: [delivered, stream, consumer, seconds, nanoseconds, pending],
}: Case): string {
  const time = BigInt(seconds!) * 1_000_000_000n + BigInt(nanoseconds!);
  return beginning === '' ? '' : `${beginning}${delivered}.${stream}.${consumer}.${time}.${pending}`;
}

/** A message of an ordinary topic that looks as the other should: its subject is the topic's, its reply its own. */
function ordinary(one: Case): MessageView {
  const view = new MessageView();
  const own = replyOf(one);
  const start = own.length;
  view.set(
    new Span(latin1(`${own}${one.headers}${one.payload}\r\n`)),
    start,
    start + one.headers.length + one.payload.length,
  );
  view.setReply(0, own.length);
  view.setHeaders(one.headers.length);
  return view;
}

function addressed(one: Case, shown: Shown): MessageView {
  const view = new MessageView();
  view.set(new Span(latin1(`${one.headers}${one.payload}\r\n`)), 0, one.headers.length + one.payload.length);
  view.setHeaders(one.headers.length);
  shown.setText(one.subject, one.reply);
  shown.numbers.set(one.numbers);
  view.shown = shown;
  return view;
}

function isGuarded(room: Uint8Array, start: number, end: number): boolean {
  return Buffer.compare(room.subarray(start, end), guarded.subarray(start, end)) === 0;
}

function encoded(head: DeliveryHead, message: MessageView, room: Uint8Array, at: number, withHeaders: boolean): string {
  const bound = head.bytesMax(message, 0);
  expect(at + bound, 'the room of this test is large enough').toBeLessThan(room.length);
  room.fill(guard);
  const end = head.encode(new Span(room), at, message, 0, withHeaders);
  expect(end - at).toBeLessThanOrEqual(bound);
  // nothing is written beyond what was reserved, nor before it
  expect(isGuarded(room, 0, at)).toBe(true);
  expect(isGuarded(room, at + bound, room.length)).toBe(true);
  return Buffer.from(room.subarray(at, end)).toString('latin1');
}

const roomBytes = 128 * 1024;
const guarded = new Uint8Array(roomBytes).fill(guard);
const rooms = [
  ['ordinary memory', new Uint8Array(roomBytes)],
  ["the kernel's memory", takeKernelBytes(roomBytes)!],
] as const;
const cases = rooms.flatMap(([name, room]) => dialects.map((dialect) => [dialect.name, name, dialect, room] as const));

test.each(cases)('%s in %s: what is shown reads as if it were the topic and the reply', (_, __, dialect, room) => {
  const sid = fc.string({ unit: fc.constantFrom(...'a1'), minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(
      sid,
      fc.array(fc.tuple(shownCase, fc.boolean(), fc.nat(9)), { minLength: 1, maxLength: 4 }),
      (sidText, all) => {
        const head = dialect.head(latin1('_INBOX.address'), sidText, null);
        const shown = new Shown();
        for (const [one, withHeaders, at] of all) {
          const plain = dialect.head(latin1(one.subject), sidText, null);
          const expected = encoded(plain, ordinary(one), room, at, withHeaders);
          expect(encoded(head, addressed(one, shown), room, at, withHeaders)).toBe(expected);
        }
      },
    ),
    { numRuns: 150 },
  );
});
