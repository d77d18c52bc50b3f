import { expect, test } from 'vitest';
import { type Place, placeOf } from '../../src/base/span.js';
import { op, Parser } from '../../src/protocol/parser.js';
import { heapBytes } from '../heap.js';
import { readPieces } from '../protocol/feeding.js';
import { readStream } from '../protocol/referenceParser.js';
import { randomFrom } from '../sim/random.js';
import { hostileInput } from './generate.js';

/** More or fewer on demand: `FUZZ_INPUTS=10000000 FUZZ_SEED=7 npx vitest run test/fuzz/parser.test.ts`. */
const inputs = Number(process.env.FUZZ_INPUTS ?? 200_000);
const firstSeed = Number(process.env.FUZZ_SEED ?? 1);
/** One input in so many is held against the reference, whole and in two pieces: this takes ten times as long. */
const comparedEvery = 16;
/**
 * What may remain on the heap an input: the smallest object. The test runner's own heap moves by some megabytes
 * while the machine is busy; anything that the parser kept of each input would be more than this.
 */
const growthBytesPerInputMax = 16;
const limits = { maxControlLineBytes: 256, maxPayloadBytes: 4096 };

/** Where every input is laid: what lies behind it is from inputs before it, as in a gateway's read buffer. */
const room = new Uint8Array(64 * 1024);
const memos = ['', 'foo', 'a.b.c'].map((text) => placeOf(Buffer.from(text)));

/** Reads everything in `room[start, end)`; fails when the parser leaves it or stands still. */
function readAll(parser: Parser, start: number, end: number, memo: Place, label: string): void {
  for (let position = start; ; position = parser.nextPosition) {
    const found = parser.next(room, position, end, memo);
    if (found === op.incomplete || found === op.error) return;
    const { message, nextPosition } = parser;
    if (nextPosition <= position || nextPosition > end) throw new Error(`${label}: ${position} to ${nextPosition}`);
    if (found !== op.publish) continue;
    const { starts, ends, count, withReplies, replyStarts, replyEnds } = message;
    let reached = parser.subjectEnd;
    let inOrder = position < parser.subjectStart && parser.subjectStart < reached && count >= 1;
    for (let i = 0; i < count; i++) {
      if (withReplies && (replyStarts[i]! <= reached || replyEnds[i]! >= starts[i]!)) inOrder = false;
      if (reached >= starts[i]! || message.payloadStart(i) > ends[i]!) inOrder = false;
      reached = ends[i]! + 2;
    }
    if (!inOrder || reached !== nextPosition) throw new Error(`${label}: a publish`);
  }
}

test(`${inputs} hostile inputs from seed ${firstSeed}: none throws, stays or leaves its bytes; no memory grows`, {
  timeout: 3_600_000,
}, () => {
  const parser = new Parser(limits);
  const last = firstSeed + inputs;
  const warmSeed = firstSeed + Math.floor(inputs / 4);
  let warmBytes = 0;
  for (let seed = firstSeed; seed < last; seed++) {
    const random = randomFrom(seed);
    const input = hostileInput(random);
    if (input.length <= room.length / 2) {
      const start = random(room.length / 2);
      room.set(input, start);
      readAll(parser, start, start + input.length, memos[random(memos.length)]!, `seed ${seed}`);
    }
    if (seed % comparedEvery === 0) {
      const whole = readStream(input.toString('latin1'), limits);
      const at = random(input.length + 1);
      expect(readPieces([input], limits, seed), `seed ${seed}`).toEqual(whole);
      expect(readPieces([input.subarray(0, at), input.subarray(at)], limits, seed), `seed ${seed} at ${at}`).toEqual(
        whole,
      );
    }
    if (seed === warmSeed) warmBytes = heapBytes();
  }
  expect(heapBytes() - warmBytes).toBeLessThan(growthBytesPerInputMax * (last - warmSeed));
});
