import net from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { useBroker } from '../harness/server.js';
import { clientFrame, offersDeflate, rawExchange } from '../harness/webSocketClient.js';
import { randomFrom } from '../sim/random.js';
import { bent, hostileLines, pick, type Random } from './generate.js';

// Invariant 16 of docs/INVARIANTS.md.

/** More on demand: `FUZZ_INPUTS=1000000 FUZZ_SEED=7 npx vitest run test/fuzz/doors.test.ts`. */
const inputs = Number(process.env.FUZZ_INPUTS ?? 1500);
const firstSeed = Number(process.env.FUZZ_SEED ?? 1);
const atOnce = 16;
const lineEnd = Buffer.from('\n');
/** What all inputs together may leave: the collector's slack. */
const growthBytesMax = 150_000_000;

/** Lengths that a frame may claim to have. */
const lengths = [0, 125, 126, 127, 65_535, 65_536, 3_145_728, 3_145_729, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63];
/** Little that becomes far more than a message may have, and a message that may be. */
const bomb = deflateRawSync(Buffer.alloc(10_000_000, '\n'));
const smallBomb = deflateRawSync(Buffer.alloc(1_000_000, '\n'));

/** The content of a compressed frame, sound or not. */
function deflated(random: Random): Buffer {
  if (random(10) === 0) return pick(random, [bomb, smallBomb]);
  const bytes = deflateRawSync(hostileLines(random));
  return random(2) === 0 ? bytes : bent(random, bytes);
}

/** What ends an exchange of frames. */
const closeFrame = clientFrame(0x88, Buffer.of(0x03, 0xe8));

/** Some frames; unless they have to be `sound`, any part of them may be wrong. */
function hostileFrames(random: Random, sound: boolean): Buffer {
  const natsLines = ['CONNECT {}\r\n', 'SUB a 1\r\n', 'PUB a 2\r\nok\r\n', 'PING\r\n', 'PUB a 99999999\r\n'];
  const frames = Array.from({ length: 1 + random(6) }, () => {
    if (random(8) === 0) return clientFrame(0xc1, deflated(random), sound || random(12) > 0);
    const payload = random(2) === 0 ? hostileLines(random) : Buffer.from(pick(random, natsLines));
    const first = random(5) === 0 ? random(256) : pick(random, [0x81, 0x82, 0x01, 0x80, 0x89, 0x8a, 0x88, 0xc1]);
    const length = !sound && random(12) === 0 ? pick(random, lengths) : payload.length;
    return clientFrame(first, payload, sound || random(12) > 0, length);
  });
  if (sound) return Buffer.concat([...frames, closeFrame]);
  let bytes: Buffer = Buffer.concat(frames);
  for (let bends = random(3); bends > 0; bends--) bytes = bent(random, bytes);
  return bytes;
}

function cutUp(random: Random, bytes: Buffer): Buffer[] {
  const at = random(bytes.length + 1);
  return random(2) === 0 ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
}

/** Sends lines over TCP to the end; what comes back must be lines of JSON or deliveries. */
async function sendLines(port: number, pieces: readonly Buffer[], label: string): Promise<void> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  // a reset is an answer too
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
  socket.end();
  await closed;
  for (const line of text.split('\n').slice(0, -1))
    if (!/^(\{"(ok|error|topic|dropped)":.*\}|BROKER BROADCAST \[\S+\]: .*)$/.test(line))
      throw new Error(`${label}: ${JSON.stringify(line)}`);
}

/** What a server sent after its handshake must be whole frames, none of them masked. */
function checkFrames(bytes: Buffer, label: string): void {
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (at < bytes.length) {
    const first = bytes[at] as number;
    const short = bytes[at + 1] as number;
    if (![0x81, 0x82, 0x88, 0x89, 0x8a].includes(first) || short > 127) throw new Error(`${label}: no frame at ${at}`);
    const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
    // a reset may cut off the last one
    if (at + headBytes > bytes.length) return;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    at += headBytes + length;
  }
}

describe('hostile bytes on the other doors', () => {
  const server = useBroker({ shards: 2, args: ['--jsonl-port', '0', '--ws-port', '0', '--ws-compression'] });

  /** Runs all seeds, some at once, while a bystander's own messages must go through. */
  async function run(send: (seed: number, random: Random) => Promise<void>): Promise<void> {
    const bystander = await JsonClient.overWebSocket(server.broker.doorPort('websocket'));
    await bystander.exchange({ command: 'SUB', topic: 'by.stander.alone' });
    const last = firstSeed + inputs;
    let next = firstSeed;
    let warmBytes = 0;
    const worker = async (): Promise<void> => {
      while (next < last) {
        const seed = next++;
        await send(seed, randomFrom(seed));
        if (seed === firstSeed + Math.floor(inputs / 4)) warmBytes = server.broker.residentBytes;
      }
    };
    const watch = async (): Promise<void> => {
      while (next < last)
        expect(await bystander.exchange({ command: 'PUB', topic: 'by.stander.alone', payload: 'ok' })).toEqual([
          'BROKER BROADCAST [by.stander.alone]: ok',
        ]);
    };
    await Promise.all([watch(), ...Array.from({ length: atOnce }, worker)]);
    expect(server.broker.residentBytes - warmBytes).toBeLessThan(growthBytesMax);
  }

  test(`${inputs} streams of lines from seed ${firstSeed}`, { timeout: 3_600_000 }, async () => {
    const port = server.broker.doorPort('jsonl');
    await run((seed, random) =>
      sendLines(port, cutUp(random, Buffer.concat([hostileLines(random), lineEnd])), `seed ${seed}`),
    );
  });

  test(`${inputs} streams of frames from seed ${firstSeed}`, { timeout: 3_600_000 }, async () => {
    const port = server.broker.doorPort('websocket');
    await run(async (seed, random) => {
      const protocol = random(2) === 0 ? 'nats' : 'jsonl';
      const headers = random(2) === 0 ? '' : offersDeflate;
      // after sound frames the answer to the last one ends it: what is compressed is still being taken apart when it comes
      const sound = random(2) === 0;
      const pieces = cutUp(random, hostileFrames(random, sound));
      checkFrames(await rawExchange(port, pieces, protocol, headers, !sound), `seed ${seed}`);
    });
  });

  test(`${inputs} handshakes from seed ${firstSeed}`, { timeout: 3_600_000 }, async () => {
    const port = server.broker.doorPort('websocket');
    const request =
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n';
    await run(async (seed, random) => {
      let bytes: Buffer = Buffer.from(request);
      for (let bends = 1 + random(3); bends > 0; bends--) bytes = bent(random, bytes);
      const answer = await rawExchange(port, cutUp(random, bytes), null);
      if (answer.length > 0 && !/^HTTP\/1\.1 \d{3} /.test(answer.toString('latin1'))) throw new Error(`seed ${seed}`);
    });
  });
});
