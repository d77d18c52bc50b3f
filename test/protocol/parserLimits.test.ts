import { expect, test } from 'vitest';
import { cutAt, readPieces } from './feeding.js';
import { readStream } from './referenceParser.js';

const limits = { maxControlLineBytes: 24, maxPayloadBytes: 16 };

/** Reads it whole, byte by byte, and cut once at every place: the answer must be one. */
function readEveryWay(text: string) {
  const bytes = Buffer.from(text, 'latin1');
  const whole = readPieces([bytes], limits);
  expect(whole).toEqual(readStream(text, limits));
  expect(
    readPieces(
      [...bytes].map((byte) => Uint8Array.of(byte)),
      limits,
    ),
  ).toEqual(whole);
  for (let at = 0; at <= bytes.length; at++) expect(readPieces(cutAt(bytes, [at]), limits, at)).toEqual(whole);
  return whole;
}

const full = limits.maxControlLineBytes;

test.each(['\r\n', '\n'])('a line of just the greatest length is taken: line end %j', (end) => {
  for (const text of [
    `SUB ${'a'.repeat(full - 2)} 1${end}`,
    `PUB ${'a'.repeat(full - 2)} 0${end}\r\n`,
    `HPUB ${'a'.repeat(full - 4)} 0 0${end}\r\n`,
    `UNSUB ${'1'.repeat(full)}${end}`,
    `CONNECT {${' '.repeat(full - 2)}}${end}`,
    `PING${' '.repeat(full)}${end}`,
  ])
    expect(readEveryWay(`${text}PING\r\n`)).toMatchObject({ error: null, operations: [{}, { kind: 'ping' }] });
});

test.each(['\r\n', '\n', ''])('a longer line is refused: line end %j', (end) => {
  for (const text of [
    `SUB ${'a'.repeat(full - 1)} 1${end}`,
    `PUB ${'a'.repeat(full - 1)} 0${end}`,
    `HPUB ${'a'.repeat(full - 3)} 0 0${end}`,
    `UNSUB ${'1'.repeat(full + 1)}${end}`,
    `CONNECT {${' '.repeat(full + 1)}}${end}`,
    `PING${' '.repeat(full + 2)}${end}`,
  ])
    expect(readEveryWay(`${text}${'x'.repeat(8)}`)).toMatchObject({ error: 'maximum control line exceeded' });
});

test('a repeated subject is bounded as the first was', () => {
  const subject = 'a'.repeat(full - 2);
  expect(readEveryWay(`PUB ${subject} 1\r\nx\r\nPUB ${subject} 1\r\ny\r\n`)).toMatchObject({ error: null });
  expect(readEveryWay(`PUB ${subject} 1\r\nx\r\nPUB ${subject} 11\r\n`).error).toBe('maximum control line exceeded');
});

test('a payload of just the greatest size is taken, a larger one is refused before it comes', () => {
  expect(readEveryWay(`PUB a ${limits.maxPayloadBytes}\r\n${'x'.repeat(limits.maxPayloadBytes)}\r\n`).error).toBe(null);
  expect(readEveryWay(`PUB a ${limits.maxPayloadBytes + 1}\r\n`).error).toBe('Maximum Payload Violation');
  expect(readEveryWay('PUB a 999999999\r\n').error).toBe('Maximum Payload Violation');
});

test.each(['1000000000', '-1', '+1', '1.0', '1e1', '', '0x1', '1\0', '99999999999999999999'])(
  'a size of %j is no size',
  (size) => {
    expect(readEveryWay(`PUB subject reply ${size}\r\n\r\n`).error).not.toBe(null);
  },
);

test('what a large message takes is known once its line is there', () => {
  expect(readEveryWay('PUB a 10\r\nxx')).toMatchObject({ operations: [], rest: 0, needed: 10 + 10 + 2 });
});

test.each(['\x0bOK\r\n', '\rERR x\r\n', '\r\n', ' PING\r\n', 'PINK\r\n', 'PUBX a 1\r\n', 'MSG a 1 0\r\n\r\n'])(
  '%j is no operation',
  (text) => {
    expect(readEveryWay(text).error).toBe('Unknown Protocol Operation');
  },
);
