import { once } from 'node:events';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Audiences } from '../../src/gateway/audience.js';
import { Egress } from '../../src/gateway/egress.js';
import { opcode } from '../../src/protocol/webSocketFrame.js';
import { framedDoor, Loopback, quietEvents, roomyLimits } from './connections.js';
import { headOf, runOf, wireOf } from './messages.js';

const connectionsMax = 3;
const member = fc.uniqueArray(fc.nat(connectionsMax - 1), { minLength: 1, maxLength: connectionsMax });
const size = fc.oneof(fc.nat(130), fc.nat(9_000), fc.integer({ min: 65_400, max: 65_600 }), fc.nat(300_000));
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('deliver' as const), to: member, size, run: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('write' as const), to: fc.nat(connectionsMax - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pong' as const), to: fc.nat(connectionsMax - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
);

/** Takes a server's stream of frames apart, by the book: content of binary frames, and `<pong>` for each pong. */
class Frames {
  text = '';
  #rest = Buffer.alloc(0);

  add(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#takeOne());
  }

  #takeOne(): boolean {
    const rest = this.#rest;
    if (rest.length < 2) return false;
    const short = rest[1]!;
    const headerBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (rest.length < headerBytes) return false;
    const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    if (headerBytes > 2) expect(length).toBeGreaterThanOrEqual(headerBytes === 4 ? 126 : 65_536);
    if (rest.length < headerBytes + length) return false;
    const content = rest.subarray(headerBytes, headerBytes + length).toString('latin1');
    if (rest[0] === (0x80 | opcode.pong)) this.text += `<pong ${content}>`;
    else {
      expect(rest[0]).toBe(0x80 | opcode.binary);
      this.text += content;
    }
    this.#rest = rest.subarray(headerBytes + length);
    return true;
  }
}

async function readFrames(client: Socket, expected: string): Promise<string> {
  const frames = new Frames();
  while (frames.text.length < expected.length) {
    const chunk = client.read() as Buffer | null;
    if (chunk === null) await once(client, 'readable');
    else frames.add(chunk);
  }
  return frames.text;
}

// Invariant 12
test('framed connections get whole frames with all that they were sent, in order, pongs between them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const loopback = await Loopback.open(connectionsMax, framedDoor);
      const connections = loopback.pairs.map((pair) => pair.connection);
      const flush = () => {
        egress.flush();
        if (egress.waiting) setImmediate(flush);
      };
      const egress = new Egress(roomyLimits, { ...quietEvents, onOwed: () => setImmediate(flush) });
      const audiences = new Audiences();
      const sent = connections.map(() => '');
      for (const [i, each] of steps.entries()) {
        if (each.kind === 'deliver') {
          const audience = audiences.intern(each.to.map((index) => connections[index]!));
          const payload = String.fromCharCode(97 + (i % 26)).repeat(each.size);
          const payloads = [payload, ...Array.from({ length: each.run }, (_, j) => payload.slice(j * 7))];
          egress.deliverRun(audience, [headOf(`t.${i}`, 's')], runOf(payloads), true);
          for (const index of each.to) sent[index] += payloads.map((one) => wireOf(`t.${i}`, 's', one)).join('');
        } else if (each.kind === 'write') {
          egress.write(connections[each.to]!, Buffer.from('PONG\r\n'));
          sent[each.to] += 'PONG\r\n';
        } else if (each.kind === 'pong') {
          egress.writeFrame(connections[each.to]!, Buffer.from([0x80 | opcode.pong, 1, 0x41]));
          sent[each.to] += '<pong A>';
        } else egress.flush();
      }
      egress.flush();
      for (const [index, { client }] of loopback.pairs.entries())
        expect((await readFrames(client, sent[index]!)) === sent[index]).toBe(true);
      loopback.close();
    }),
    { numRuns: 40 },
  );
});
