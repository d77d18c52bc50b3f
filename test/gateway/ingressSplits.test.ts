import fc from 'fast-check';
import { expect, test } from 'vitest';
import { carryBytesMax, shareUnits, shareUnitsMin } from '../../src/base/limits.js';
import { Turn } from '../../src/base/turn.js';
import { Work } from '../../src/base/work.js';
import type { Connection } from '../../src/gateway/connection.js';
import { NatsReader } from '../../src/gateway/doors/natsReader.js';
import { Ingress } from '../../src/gateway/ingress.js';
import { Shares } from '../../src/gateway/shares.js';
import { defaultConnectOptions } from '../../src/protocol/connectOptions.js';
import { natsDialect } from '../../src/protocol/natsDialect.js';
import type { Publication } from '../../src/protocol/publication.js';
import { cutAt } from '../protocol/feeding.js';
import { idleConnection } from './connections.js';
import { NoCommands } from './noCommands.js';
import { noRetries } from './noRetries.js';

// Invariant 25 of docs/INVARIANTS.md.

const limits = { maxControlLineBytes: 4096, maxPayloadBytes: 1024 * 1024 };

/** How often and where a connection has to wait: at which operations there is no room, and behind which its share is spent. */
interface Waits {
  readonly refusals: readonly boolean[];
  readonly spendings: readonly boolean[];
}
const noWaits: Waits = { refusals: [], spendings: [] };

/** Notes what is carried out; takes no message while refusals last. */
class Notes extends NoCommands {
  readonly done: string[] = [];
  readonly refusals: boolean[];
  readonly #spendings: boolean[];
  readonly #work: Work;

  constructor(work: Work, { refusals, spendings }: Waits) {
    super();
    this.#work = work;
    this.refusals = [...refusals];
    this.#spendings = [...spendings];
  }

  override note(what: string): void {
    this.done.push(what);
  }

  override flushIfPressed(): void {
    if (this.#spendings.pop() === true) this.#work.units += shareUnits + shareUnitsMin;
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

/** Has every input end at once. */
const finisher = { finishInput: () => true };

/** Reads the pieces as sockets deliver them, in one buffer for all; a parked connection is resumed before its next read. */
function carryOut(pieces: readonly Uint8Array[], waits = noWaits): string[] {
  const work = new Work();
  const shares = new Shares(work, new Turn(() => {}));
  const notes = new Notes(work, waits);
  const ingress = new Ingress(shares, finisher, noRetries);
  const reader = new NatsReader(limits, notes, work);
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
    while (connection.parked) {
      work.nextTurn();
      ingress.resumeParked();
      shares.serve(() => ingress.goOn(connection));
    }
  };
  for (const piece of pieces) {
    room.fill(0x58, carryBytesMax + piece.length);
    room.set(piece, carryBytesMax);
    shares.begin(connection);
    ingress.onRead(connection, room, carryBytesMax, carryBytesMax + piece.length);
    shares.end(connection);
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

test('what is carried out does not depend on how reads cut the stream, nor on where a connection waits or its share ends', () => {
  fc.assert(
    fc.property(
      stream,
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      (bytes, places, refusals, spendings) => {
        // a read delivers at most a read buffer
        const steps = Array.from({ length: Math.ceil(bytes.length / 200_000) }, (_, i) => i * 200_000);
        const whole = carryOut(cutAt(bytes, steps));
        expect(carryOut(cutAt(bytes, [...places, ...steps]))).toEqual(whole);
        expect(carryOut(cutAt(bytes, [...places, ...steps]), { refusals, spendings })).toEqual(whole);
        expect(whole.length).toBe(bytes.toString().match(/^(PUB|PING|PONG|SUB|UNSUB|CONNECT)/gm)?.length ?? 0);
      },
    ),
    { numRuns: 150 },
  );
});

test('who waits for its credentials to be verified is not read before that, whoever else may go on', () => {
  const work = new Work();
  const notes = new Notes(work, noWaits);
  const ingress = new Ingress(new Shares(work, new Turn(() => {})), finisher, noRetries);
  const reader = new NatsReader(limits, notes, work);
  const door = { name: 'nats', options: defaultConnectOptions, dialect: natsDialect, frameOpcode: 0, reader } as const;
  const connection = idleConnection(1, door);
  Object.assign(connection, { socket: { resume: () => {} } });
  connection.login.beginVerifying();
  const room = new Uint8Array(carryBytesMax + 1024);
  const lines = Buffer.from('CONNECT {}\r\nPING\r\nSUB a 1\r\n');
  room.set(lines, carryBytesMax);
  expect(ingress.onRead(connection, room, carryBytesMax, carryBytesMax + lines.length)).toBe(false);
  for (let i = 0; i < 3; i++) ingress.resumeParked();
  expect(notes.done).toEqual(['CONNECT {}']);
  connection.login.endVerifying();
  ingress.resume(connection);
  expect(notes.done).toEqual(['CONNECT {}', 'PING', 'SUB a  1']);
});
