import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { MessageView, positionBytes } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { firstTraced, readTraceOptions, storeUntraced } from '../../src/protocol/trace/traceHeaders.js';

// Invariant 57 of docs/INVARIANTS.md.

const kernelText = takeKernelBytes(64 * 1024);
const kernelPositions = takeKernelBytes(positionBytes);

/** A run of messages with these header blocks, and what may stand around each. */
function runOf(blocks: readonly string[], payload = 'payload', inKernel = false): MessageView {
  const message = new MessageView(inKernel ? kernelPositions! : undefined);
  let text = '';
  for (const [i, block] of blocks.entries()) {
    text += `HPUB subject ${i} `;
    message.starts[i] = text.length;
    message.headerLengths[i] = block.length;
    text += block + payload;
    message.ends[i] = text.length;
    text += '\r\n';
  }
  if (inKernel) {
    kernelText!.set(latin1Bytes(text));
    message.span = new Span(kernelText!);
    expect(message.span.address).toBeGreaterThanOrEqual(0);
  } else message.span = new Span(latin1Bytes(text));
  message.count = blocks.length;
  message.withHeaders = true;
  return message;
}

const blockOf = (lines: readonly string[]): string => `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const line = fc.oneof(
  fc.stringMatching(/^[ -~]{0,40}$/),
  fc.constantFrom(
    'Nats-Trace-Dest: here',
    'Nats-Trace-Dest:',
    'nats-trace-dest: here',
    'Nats-Trace-Dest',
    'X: Nats-Trace-Dest: here',
  ),
  fc.constantFrom(
    'Nats-Trace-Only: 1',
    'Nats-Trace-Only: off',
    'Nats-Trace-Origin-Account: $G',
    'Nats-Trace-Dest: trace disabled',
  ),
);
const lines = fc.array(line, { maxLength: 6 });

/** What is asked of every message with headers, as one would say it. */
const isNamed = (each: readonly string[]): boolean => each.some((one) => one.startsWith('Nats-Trace-Dest:'));

describe.each([
  ['by the kernel', true],
  ['elsewhere', false],
])('%s', (_, inKernel) => {
  test('the first message of a run that names a destination is found, wherever the name stands', () => {
    const found = fc.property(fc.array(lines, { minLength: 1, maxLength: 9 }), (blocks) => {
      expect(firstTraced(runOf(blocks.map(blockOf), 'payload', inKernel))).toBe(blocks.findIndex(isNamed));
    });
    fc.assert(found, { numRuns: 1000 });
    for (let before = 0; before < 64; before++)
      for (let behind = 0; behind < 16; behind++) {
        const named = blockOf(['D'.repeat(before), `Nats-Trace-Dest:${'x'.repeat(behind)}`]);
        expect(firstTraced(runOf([blockOf(['x'.repeat(before)]), named], 'D', inKernel))).toBe(1);
      }
  });

  test('blocks that are none, and names in payloads, are not read beyond their end', () => {
    const bytes = fc.string({ unit: 'binary-ascii', maxLength: 60 });
    const found = fc.property(bytes, bytes, (block, payload) => {
      const message = runOf([block], `${payload}\nNats-Trace-Dest: there\r\n\r\n`, inKernel);
      const isThere = block
        .split('\n')
        .slice(1)
        .some((one) => one.startsWith('Nats-Trace-Dest:'));
      // a block that is too short for the name may be cut off in it
      expect(firstTraced(message) === 0).toBe(isThere);
    });
    fc.assert(found, { numRuns: 1000 });
  });
});

test('what is said of a trace is read from its first headers', () => {
  const said = fc.property(lines, (each) => {
    const traceOptions = readTraceOptions(runOf([blockOf(each)]), 0);
    const valueIn = (name: string) =>
      each
        .find((one) => one.startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim();
    const destination = valueIn('Nats-Trace-Dest') ?? '';
    const isTraced =
      destination !== '' && destination !== 'trace disabled' && valueIn('Nats-Trace-Origin-Account') === undefined;
    const only = ['1', 'true', 'on'].includes(valueIn('Nats-Trace-Only') ?? '');
    expect(traceOptions).toEqual(isTraced ? { destination, only, encodings: null } : null);
  });
  fc.assert(said, { numRuns: 1000 });
});

test('what is stored of a message names no destination, and is the same beyond that', () => {
  const stored = fc.property(lines, lines, (before, behind) => {
    const others = before.filter((one) => !one.startsWith('Nats-Trace-Dest'));
    const message = runOf([blockOf([...others, 'Nats-Trace-Dest: here', ...behind])]);
    const into = new MessageView();
    storeUntraced(message, 0, into);
    const text = Buffer.from(into.bytes).toString('latin1');
    expect(text).toBe(`${blockOf([...others, 'Nats-Trace-Dest: trace disabled', ...behind])}payload\r\n`);
    expect(text.slice(into.payloadStart(0), into.ends[0])).toBe('payload');
    expect(readTraceOptions(into, 0)).toBeNull();
  });
  fc.assert(stored);
});
