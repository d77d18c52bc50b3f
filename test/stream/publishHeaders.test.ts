import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { publishedSubject } from '../../src/base/publishedSubject.js';
import { Span } from '../../src/base/span.js';
import { MemoryStorage } from '../../src/log/memoryStorage.js';
import { PublishHeaders } from '../../src/stream/publishHeaders.js';
import { Stream } from '../../src/stream/stream.js';
import { ampleMemory, configOf, finish, messageWith } from './streams.js';

// Invariant 42 of docs/INVARIANTS.md.

function valuesOf(block: string, payload = ''): PublishHeaders {
  const headers = new PublishHeaders();
  headers.read(messageWith(block, payload), 0);
  return headers;
}

/** The block and the payload under which a stream keeps a message. */
function kept(message: MessageView): [block: string, payload: string] | null {
  const stream = new Stream(configOf({}), 0, new MemoryStorage(1), ampleMemory());
  const { sequence } = stream.publish(publishedSubject('s'), message, 0, 1);
  const steps = stream.read<[string, string]>(sequence, ({ span, start, headerBytes, end }) => [
    latin1String(span.bytes, start, start + headerBytes),
    latin1String(span.bytes, start + headerBytes, end),
  ]);
  return finish(steps);
}

test('only blanks and tabs around a value are none of it', () => {
  const id = (line: string): string => valuesOf(`NATS/1.0\r\nNats-Msg-Id:${line}\r\n\r\n`).get('Nats-Msg-Id');
  // the last byte of UTF-8 `à` is 0xA0, which Unicode calls a space
  const voila = latin1String(new Uint8Array(Buffer.from('voilà')), 0, 6);
  expect(id(` \t${voila}\t `)).toBe(voila);
  expect(id('\xa0x\xa0')).toBe('\xa0x\xa0');
  expect(id('')).toBe('');
});

test('a status is not kept, a block of nothing else neither; what has no CR behind the status is kept as it is', () => {
  const cases: readonly (readonly [block: string, kept: string])[] = [
    ['NATS/1.0 503\r\n\r\n', ''],
    ['NATS/1.0 503 text\r\nA: b\r\n\r\n', 'NATS/1.0\r\nA: b\r\n\r\n'],
    ['NATS/1.0 503\nA: b\n\n', 'NATS/1.0 503\nA: b\n\n'],
    ['NATS/1.0 503\nA: b\r\n\r\n', ''],
    ['NATS/1.0\r\n\r\n', 'NATS/1.0\r\n\r\n'],
    ['xx', 'xx'],
    ['NATS/1.0 5', 'NATS/1.0 5'],
    ['\r\n', '\r\n'],
    ['FOO/1.0 503\r\nA: b\r\n\r\n', 'FOO/1.0 503\r\nA: b\r\n\r\n'],
  ];
  for (const [block, expected] of cases)
    expect(kept(messageWith(block, 'pay\rload: x'))).toEqual([expected, 'pay\rload: x']);
});

const piece = fc.constantFrom('NATS/1.0', ' 503', '\r\n', '\n', '\r', 'Nats-Msg-Id', 'A', ':', ' ', '\t', 'x', '\xa0');
const block = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));
const whole = block.map((rest) => `NATS/1.0${rest}`);
const anyBlock = fc.oneof(block, whole);

/** What a block says, in the plainest way. */
function modelOf(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n').slice(1)) {
    const [, name, value] = /^(Nats-[^:\r]*):[ \t]*([^\r]*)/.exec(line) ?? [];
    if (name !== undefined && !values.has(name)) values.set(name, (value as string).replace(/[ \t]+$/, ''));
  }
  return values;
}

test('whatever a block holds it is read as a plain model reads it, and nothing outside it is read or kept', () => {
  fc.assert(
    fc.property(anyBlock, block, (text, payload) => {
      // looks like headers on both sides
      const around = 'Nats-Msg-Id: outside\r\n';
      const bytes = latin1Bytes(`${around}${text}${payload}\r\n${around}`);
      const view = new MessageView();
      view.set(new Span(bytes), around.length, around.length + text.length + payload.length);
      view.setHeaders(text.length);
      const headers = new PublishHeaders();
      headers.read(view, 0);
      const expected = modelOf(text);
      expect(headers.none).toBe(expected.size === 0);
      for (const [name, value] of expected) expect(headers.get(name)).toBe(value);
      const cut = /^(NATS\/1\.0)[^\r]+(?=\r)/.exec(text);
      const rest = cut === null ? text : text.replace(cut[0], 'NATS/1.0');
      const isEmpty = cut !== null && rest.length <= 'NATS/1.0\r\n\r\n'.length;
      expect(kept(view)).toEqual([isEmpty ? '' : rest, payload]);
    }),
    { numRuns: 2_000 },
  );
});
