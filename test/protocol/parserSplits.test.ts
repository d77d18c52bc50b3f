import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ParserLimits } from '../../src/protocol/publishRuns.js';
import { corpus } from '../fuzz/generate.js';
import { cutAt, readPieces } from './feeding.js';
import { readStream } from './referenceParser.js';
import { stream } from './streams.js';

const limits: ParserLimits = { maxControlLineBytes: 4096, maxPayloadBytes: 1024 * 1024 };

test('a valid stream is read as the reference reads it, whole', () => {
  fc.assert(
    fc.property(stream, ({ bytes, count }) => {
      const reading = readPieces([bytes], limits);
      expect(reading).toEqual(readStream(bytes.toString('latin1'), limits));
      expect(reading).toMatchObject({ error: null, rest: bytes.length });
      expect(reading.operations).toHaveLength(count);
    }),
    { numRuns: 1000 },
  );
});

test('a valid stream is read the same wherever it is cut', () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(), { maxLength: 6 }), fc.nat(4), ({ bytes }, places, noise) => {
      expect(readPieces(cutAt(bytes, places), limits, noise)).toEqual(readPieces([bytes], limits));
    }),
    { numRuns: 1000 },
  );
});

test.each(corpus.map((bytes, i) => [i, bytes] as const))('stream %i of the corpus, cut at every byte', (_, bytes) => {
  const whole = readStream(bytes.toString('latin1'), limits);
  expect(readPieces([bytes], limits)).toEqual(whole);
  const step = bytes.length > 600 ? 97 : 1;
  for (let at = 0; at < bytes.length; at += step)
    expect(readPieces([bytes.subarray(0, at), bytes.subarray(at)], limits, at)).toEqual(whole);
  if (step === 1)
    expect(
      readPieces(
        [...bytes].map((byte) => Uint8Array.of(byte)),
        limits,
      ),
    ).toEqual(whole);
});
