import { assert } from '../base/assert.js';

/** Longest header of a frame from a server, which masks nothing, in bytes (RFC 6455, section 5.2). */
export const frameHeaderBytesMax = 10;

/** What a frame holds. */
export const opcode = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const finalFragment = 0x80;
/** RFC 6455, section 5.5. */
const controlContentBytesMax = 125;

/** Asks a client, or its browser, whether it is still there. */
export const pingFrame = Uint8Array.of(finalFragment | opcode.ping, 0);

/** The answer to a ping, with what that held. */
export function pongFrame(content: Uint8Array): Uint8Array {
  assert(content.length <= controlContentBytesMax, 'a control frame is short');
  const frame = Buffer.allocUnsafe(2 + content.length);
  frame[0] = finalFragment | opcode.pong;
  frame[1] = content.length;
  frame.set(content, 2);
  return frame;
}

/** Writes the header of a whole frame so that it ends where its content, `lengthBytes`, begins; returns where it begins. */
export function writeFrameHeader(bytes: Uint8Array, contentStart: number, lengthBytes: number, code: number): number {
  if (lengthBytes < 126) {
    bytes[contentStart - 2] = finalFragment | code;
    bytes[contentStart - 1] = lengthBytes;
    return contentStart - 2;
  }
  if (lengthBytes < 0x10000) {
    bytes[contentStart - 4] = finalFragment | code;
    bytes[contentStart - 3] = 126;
    bytes[contentStart - 2] = lengthBytes >>> 8;
    bytes[contentStart - 1] = lengthBytes & 0xff;
    return contentStart - 4;
  }
  bytes[contentStart - 10] = finalFragment | code;
  bytes[contentStart - 9] = 127;
  bytes.fill(0, contentStart - 8, contentStart - 4);
  for (let i = 0; i < 4; i++) bytes[contentStart - 4 + i] = (lengthBytes >>> (24 - 8 * i)) & 0xff;
  return contentStart - 10;
}
