import { deflateRawSync } from 'node:zlib';
import { type Attack, again, floodMs } from './attack.js';
import { Client, frame } from './client.js';

const deflate =
  'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n';
const opcode = { continuation: 0, text: 1, binary: 2, ping: 9 };

/** The same from a WebSocket. */
function frameFlood(what: string, bytes: Uint8Array, headers = '', flags: string[] = []): Attack {
  return {
    what,
    flags,
    prepare: async ({ webSocket }) => {
      const attacker = await Client.webSocket(webSocket, headers);
      return { attacker, strike: () => attacker.flood(bytes, floodMs) };
    },
  };
}

function deflatedFrame(text: string): Buffer {
  const bytes = deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4);
  const built = frame(opcode.binary, bytes);
  built[0]! |= 0x40;
  return built;
}

/** Connections that send the same until they are ended, and come again. */
function connections(what: string, bytes: Uint8Array, headers = '', flags: string[] = []): Attack {
  return {
    what,
    flags,
    prepare: async ({ nats, webSocket }) => {
      const attacker = await Client.nats(nats);
      const say = async (): Promise<void> => {
        const one = await Client.webSocket(webSocket, headers);
        await one.send(bytes);
        await one.hears(/ERR/, 1_000);
        attacker.error = one.error;
        one.close();
      };
      return { attacker, strike: () => again(20, say) };
    },
  };
}

/** What frames may do. */
export const webSocketAttacks: Readonly<Record<string, Attack>> = {
  frames: frameFlood(
    'a flood of empty fragments on a WebSocket',
    Buffer.concat([frame(opcode.binary, '', false), ...Array(5000).fill(frame(opcode.continuation, '', false))]),
  ),
  tinyFrames: frameFlood(
    'a flood of frames of one byte on a WebSocket',
    Buffer.concat(Array(3000).fill(Buffer.concat([...'PONG\r\n'].map((c) => frame(opcode.binary, c))))),
  ),
  hugeFrames: frameFlood(
    'a flood of fragments of 60 KB on a WebSocket',
    Buffer.concat([
      frame(opcode.binary, `PUB frames 960000\r\n`, false),
      ...Array(16).fill(frame(opcode.continuation, 'x'.repeat(60_000), false)),
      frame(opcode.continuation, '\r\n'),
    ]),
  ),
  framePings: frameFlood('a flood of pings on a WebSocket', Buffer.concat(Array(10_000).fill(frame(opcode.ping, '')))),
  deflated: frameFlood(
    'a flood of compressed frames, each of which becomes 1 MB of PONGs',
    Buffer.concat(Array(20).fill(deflatedFrame('PONG\r\n'.repeat(170_000)))),
    deflate,
    ['--ws-compression'],
  ),
  bombs: connections(
    'compressed frames of 50 KB that become 50 MB, on 20 connections at a time',
    deflatedFrame(`PUB bomb 50000000\r\n${'0'.repeat(50_000_000)}\r\n`),
    deflate,
    ['--ws-compression'],
  ),
  badFrames: connections('frames that are none, on 20 connections at a time', Buffer.alloc(1000, 0xff)),
  textFrames: connections(
    'frames that end in the middle of a character, on 20 connections at a time',
    frame(opcode.text, Buffer.from([0xe2, 0x82])),
  ),
};
