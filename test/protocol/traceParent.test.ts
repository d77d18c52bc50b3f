import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { firstSampled, readSampled } from '../../src/protocol/trace/traceParent.js';

// Invariant 58 of docs/INVARIANTS.md.

const valid = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A run of messages with these headers, one behind the other. */
function runOf(blocks: readonly string[]): MessageView {
  const view = new MessageView();
  const bytes = Buffer.from(blocks.map((block) => `${block}body\r\n`).join(''), 'latin1');
  view.span = new Span(new Uint8Array(bytes));
  view.withHeaders = true;
  view.count = blocks.length;
  let at = 0;
  blocks.forEach((block, i) => {
    view.starts[i] = at;
    view.headerLengths[i] = block.length;
    at += block.length + 'body'.length;
    view.ends[i] = at;
    at += 2;
  });
  return view;
}

const blockOf = (lines: readonly string[]) => `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const others = fc.array(
  fc
    .tuple(
      fc.constantFrom('a', 'traceparen', 'xtraceparent', 'tracestate', 'Nats-Trace-Dest'),
      fc.stringMatching(/^[ -~]{0,40}$/),
    )
    .map(([name, value]) => `${name}: ${value}`),
  { maxLength: 4 },
);
const named = fc
  .tuple(
    fc.mixedCase(fc.constant('traceparent')),
    fc.constantFrom('', ' ', '\t '),
    fc.constantFrom(valid, valid.replace(/1$/, '0'), 'no'),
  )
  .map(([name, blank, value]) => ({ line: `${name}:${blank}${value}${blank}`, isSampled: value === valid }));

test('the first message of a run is found whose span is recorded, wherever the header stands', () => {
  const message = fc
    .record({ before: others, named: fc.option(named), after: others })
    .map(({ before, named: one, after }) => ({
      block: blockOf([...before, ...(one === null ? [] : [one.line]), ...after]),
      isSampled: one?.isSampled ?? false,
    }));
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: -1, max: 8 }),
      (messages, limit) => {
        const before = Math.min(limit, messages.length);
        const run = runOf(messages.map(({ block }) => block));
        const expected = messages.findIndex(({ isSampled }, i) => isSampled && (before < 0 || i < before));
        expect(firstSampled(run, before)).toBe(expected < 0 ? before : expected);
        messages.forEach(({ isSampled }, i) => {
          expect(readSampled(run, i) !== null).toBe(isSampled);
        });
      },
    ),
  );
});

test('whatever a block holds, nothing outside of it is read', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      const run = runOf([text]);
      // what follows is another's
      run.headerLengths[0] = text.length;
      expect(firstSampled(run, -1)).toBe(-1);
      expect(readSampled(run, 0)).toBeNull();
    }),
  );
  const run = runOf([blockOf([`traceparent: ${valid}`])]);
  run.headerLengths[0] -= 5;
  expect(firstSampled(run, -1)).toBe(-1);
});

test('what vendors say is taken along, so much of it', () => {
  const run = runOf([blockOf([`traceparent: ${valid}`, `TraceState: ${'x'.repeat(1_000)}`])]);
  expect(readSampled(run, 0)).toEqual({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    parentId: 'b7ad6b7169203331',
    state: 'x'.repeat(512),
  });
});

test('of headers that take very much the last ones are not looked at', () => {
  const blockWith = (bytes: number) => blockOf([`long: ${'x'.repeat(bytes)}`, `traceparent: ${valid}`]);
  expect([3_900, 4_100].map((bytes) => firstSampled(runOf([blockWith(bytes)]), -1))).toEqual([0, -1]);
  expect(readSampled(runOf([blockWith(4_100)]), 0)).toBeNull();
});
