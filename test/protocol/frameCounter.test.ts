import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameCounter } from '../../src/protocol/frameCounter.js';
import { opcode } from '../../src/protocol/webSocketFrame.js';
import { cutAt } from './feeding.js';

// Invariant 25 of docs/INVARIANTS.md.

interface Frame {
  readonly code: number;
  readonly lengthBytes: number;
  readonly masked: boolean;
}

function encode({ code, lengthBytes, masked }: Frame): Buffer {
  const mask = masked ? 0x80 : 0;
  const head =
    lengthBytes < 126
      ? [code, mask | lengthBytes]
      : lengthBytes < 0x10000
        ? [code, mask | 126, lengthBytes >> 8, lengthBytes & 255]
        : [code, mask | 127, 0, 0, 0, 0, 0, lengthBytes >> 16, (lengthBytes >> 8) & 255, lengthBytes & 255];
  // contents look like headers
  return Buffer.concat([Buffer.from(head), Buffer.alloc(masked ? 4 : 0, 0x89), Buffer.alloc(lengthBytes, 0x89)]);
}

const frame = fc.record({
  code: fc.constantFrom(0, opcode.text, opcode.binary, opcode.close, opcode.ping, opcode.pong),
  lengthBytes: fc.oneof(fc.nat(3), fc.nat(200), fc.nat(70_000)),
  masked: fc.boolean(),
});

test('frames are counted wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 20 }), (frames, places) => {
      const counter = new FrameCounter();
      for (const piece of cutAt(Buffer.concat(frames.map(encode)), places)) counter.add(piece);
      expect(counter.frames).toBe(frames.length);
      expect(counter.controls).toBe(frames.filter(({ code }) => code >= opcode.close).length);
    }),
  );
});
