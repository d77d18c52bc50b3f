import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { FrameReader } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { isOracle } from '../harness/target.js';
import { randomFrom } from '../sim/random.js';
import { corpus, hostileInput } from './generate.js';

// Invariant 16 of docs/INVARIANTS.md.

/** More on demand: `FUZZ_INPUTS=1000000 FUZZ_SEED=7 npx vitest run test/fuzz`. */
const inputs = Number(process.env.FUZZ_INPUTS ?? 4000);
const firstSeed = Number(process.env.FUZZ_SEED ?? 1);
const atOnce = 32;
/** What all inputs together may leave: the collector's slack. */
const growthBytesMax = 150_000_000;

/**
 * Sends the input in one or more pieces, says that nothing more will come, and reads to the end, which must come.
 * What comes back must be the protocol, whatever was sent.
 */
async function send(port: number, pieces: readonly Buffer[], label: string): Promise<void> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const reader = new FrameReader();
  let broken: unknown;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    try {
      if (broken === undefined) reader.push(chunk);
    } catch (error) {
      broken = error;
    }
  });
  // Not events.once: a reset is an answer too, and once() would take it for a failure.
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
  socket.end();
  await closed;
  // nats-server passes CR and NUL in subjects on, which then is no protocol any more; we do not.
  if (broken !== undefined && !isOracle) throw new Error(`${label}: ${(broken as Error).message}`);
}

function cutUp(random: (bound: number) => number, bytes: Buffer): Buffer[] {
  if (random(3) > 0 || bytes.length === 0) return [bytes];
  const at = random(bytes.length);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

describe('hostile bytes over real sockets', () => {
  const server = useBroker({ shards: 2 });

  test('every stream of the corpus, cut at every byte, or byte by byte', { timeout: 300_000 }, async () => {
    const bystander = await RawClient.connect(server.port);
    for (const bytes of corpus) {
      const step = bytes.length > 600 ? 97 : 1;
      const cuts = Array.from({ length: Math.floor(bytes.length / step) }, (_, i) => i * step);
      while (cuts.length > 0) {
        const some = cuts.splice(0, atOnce);
        await Promise.all(
          some.map((cut) => send(server.port, [bytes.subarray(0, cut), bytes.subarray(cut)], `cut at ${cut}`)),
        );
      }
    }
    expect(await bystander.exchange()).toEqual([]);
  });

  test(`${inputs} generated inputs from seed ${firstSeed}: a bystander notices nothing`, {
    timeout: 3_600_000,
  }, async () => {
    const bystander = await RawClient.connect(server.port);
    await bystander.exchange('SUB by.stander.alone 1\r\n');
    let next = firstSeed;
    let warmBytes = 0;
    const last = firstSeed + inputs;
    const worker = async (): Promise<void> => {
      while (next < last) {
        const seed = next++;
        const random = randomFrom(seed);
        await send(server.port, cutUp(random, hostileInput(random)), `seed ${seed}`);
        if (seed === firstSeed + Math.floor(inputs / 4)) warmBytes = server.broker.residentBytes;
      }
    };
    const watch = async (): Promise<void> => {
      while (next < last)
        expect(await bystander.exchange('PUB by.stander.alone 2\r\nok\r\n')).toEqual(['MSG by.stander.alone 1 | ok']);
    };
    await Promise.all([watch(), ...Array.from({ length: atOnce }, worker)]);
    expect(server.broker.residentBytes - warmBytes).toBeLessThan(growthBytesMax);
  });
});
