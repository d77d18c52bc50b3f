import fc from 'fast-check';
import { expect, test } from 'vitest';
import { carryBytesMax } from '../../src/base/limits.js';
import type { Connection } from '../../src/gateway/connection.js';
import { NatsReader } from '../../src/gateway/doors/natsReader.js';
import { Ingress } from '../../src/gateway/ingress.js';
import { defaultConnectOptions } from '../../src/protocol/connectOptions.js';
import { natsDialect } from '../../src/protocol/natsDialect.js';
import type { Publication } from '../../src/protocol/publication.js';
import { cutAt } from '../protocol/feeding.js';
import { idleConnection } from './connections.js';
import { NoCommands } from './noCommands.js';

const limits = { maxControlLineBytes: 4096, maxPayloadBytes: 1024 * 1024 };

/** Notes what is carried out; takes no message while `refusals` last. */
class Notes extends NoCommands {
  readonly done: string[] = [];
  refusals: boolean[] = [];

  override note(what: string): void {
    this.done.push(what);
  }

  override publish(_: Connection, { message, subjectStart, subjectEnd }: Publication): number {
    const slice = (start: number, end: number) => Buffer.from(message.bytes.subarray(start, end)).toString('latin1');
    let taken = 0;
    while (taken < message.count && this.refusals.pop() !== true) {
      const payload = slice(message.starts[taken]!, message.ends[taken]!);
      this.done.push(
        `${slice(subjectStart, subjectEnd)} ${payload.length} ${payload.slice(0, 9)} ${payload.slice(-9)}`,
      );
      taken++;
    }
    return taken;
  }
  override ping(): boolean {
    if (this.refusals.pop() === true) return false;
    return super.ping();
  }
}

/** Reads the pieces as sockets deliver them, in one buffer for all; a parked connection is resumed before its next read. */
function carryOut(pieces: readonly Uint8Array[], refusals: readonly boolean[] = []): string[] {
  const notes = new Notes();
  notes.refusals = [...refusals];
  const ingress = new Ingress(() => true);
  const reader = new NatsReader(limits, notes);
  const connection = idleConnection(1, {
    name: 'nats',
    options: defaultConnectOptions,
    dialect: natsDialect,
    frameOpcode: 0,
    reader,
  });
  Object.assign(connection, { socket: { resume: () => {} } });
  const room = new Uint8Array(carryBytesMax + 512 * 1024);
  const resume = () => {
    while (connection.parked) ingress.resumeParked();
  };
  for (const piece of pieces) {
    room.fill(0x58, carryBytesMax + piece.length);
    room.set(piece, carryBytesMax);
    ingress.onRead(connection, room, carryBytesMax, carryBytesMax + piece.length);
    resume();
  }
  expect(ingress.parkedCount).toBe(0);
  return notes.done;
}

const operation = fc.oneof(
  fc.constantFrom(
    'PING\r\n',
    'SUB a.b 1\r\n',
    'SUB a q 2\r\n',
    'UNSUB 1 5\r\n',
    'CONNECT {"verbose":false}\r\n',
    'PONG\r\n',
  ),
  fc
    .tuple(
      fc.constantFrom('a', 'a', 'b.c'),
      fc.oneof({ weight: 5, arbitrary: fc.nat(50) }, fc.nat(9_000), fc.nat(200_000)),
      fc.nat(25),
    )
    .map(([subject, size, letter]) => `PUB ${subject} ${size}\r\n${String.fromCharCode(97 + letter).repeat(size)}\r\n`),
);
const stream = fc.array(operation, { maxLength: 25 }).map((all) => Buffer.from(all.join('')));

test('what is carried out does not depend on how reads cut the stream, nor on being parked', () => {
  fc.assert(
    fc.property(
      stream,
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      (bytes, places, refusals) => {
        // a read delivers at most a read buffer
        const steps = Array.from({ length: Math.ceil(bytes.length / 200_000) }, (_, i) => i * 200_000);
        const whole = carryOut(cutAt(bytes, steps));
        expect(carryOut(cutAt(bytes, [...places, ...steps]))).toEqual(whole);
        expect(carryOut(cutAt(bytes, [...places, ...steps]), refusals)).toEqual(whole);
        expect(whole.length).toBe(bytes.toString().match(/^(PUB|PING|PONG|SUB|UNSUB|CONNECT)/gm)?.length ?? 0);
      },
    ),
    { numRuns: 150 },
  );
});
