import { expect, test } from 'vitest';
import { carryBytesMax, crowdUnits, readBufferBytes } from '../../src/base/limits.js';
import { Turn } from '../../src/base/turn.js';
import { copyShift, queueShift, readShift, Work } from '../../src/base/work.js';
import type { Connection } from '../../src/gateway/connection.js';
import { NatsReader } from '../../src/gateway/doors/natsReader.js';
import { Ingress } from '../../src/gateway/ingress.js';
import { Shares } from '../../src/gateway/shares.js';
import type { Publication } from '../../src/protocol/publication.js';
import { idleConnection } from './connections.js';
import { NoCommands } from './noCommands.js';
import { noRetries } from './noRetries.js';

// Invariant 25 of docs/INVARIANTS.md.

const crowd = 400;

/** A crowd, each of which has a socket full of short messages that is read in one turn. */
class Crowd {
  readonly work = new Work();
  published = 0;
  readonly #shares = new Shares(this.work, new Turn(() => {}));
  readonly #ingress = new Ingress(this.#shares, { finishInput: () => true }, noRetries);
  readonly #connections: Connection[];

  /** @param unitsEach what a message costs */
  constructor(unitsEach: number) {
    const { work } = this;
    const published = (count: number) => {
      this.published += count;
    };
    class Commands extends NoCommands {
      override publish(_: Connection, { message }: Publication): number {
        const taken = work.affordable(unitsEach, message.count);
        work.units += unitsEach * taken;
        published(taken);
        return taken;
      }
    }
    const reader = new NatsReader({ maxControlLineBytes: 4096, maxPayloadBytes: 1024 }, new Commands(), work);
    const socket = { resume: () => {} };
    this.#connections = Array.from({ length: crowd }, (_, i) =>
      Object.assign(idleConnection(i + 1), { reader, socket }),
    );
  }

  get kept(): number {
    return this.#ingress.parkedCount;
  }

  /** Has the same read of everybody. */
  read(input: Uint8Array): void {
    const room = new Uint8Array(carryBytesMax + input.length);
    room.set(input, carryBytesMax);
    for (const connection of this.#connections) {
      this.#shares.begin(connection, input.length);
      this.work.units += input.length >> readShift;
      this.#ingress.onRead(connection, room, carryBytesMax, room.length);
      this.#shares.end(connection);
    }
  }

  goOn(): void {
    this.work.nextTurn();
    this.#shares.serve((connection) => this.#ingress.goOn(connection));
  }
}

const message = `PUB a 256\r\n${'x'.repeat(256)}\r\n`;
const messages = Math.floor(readBufferBytes / message.length);
const input = Buffer.from(message.repeat(messages));

test('what a crowd has read is not kept where that costs no less than to carry it out', () => {
  const all = new Crowd(0);
  all.read(input);
  expect(all.kept).toBe(0);
  expect(all.published).toBe(crowd * messages);
});

test('what costs a crowd much is cut, however much has been read, and goes on in later turns', () => {
  const unitsEach = 50;
  const all = new Crowd(unitsEach);
  all.read(input);
  expect(all.kept).toBeGreaterThan(0);
  // each is read, does what it would cost to keep it, and is kept
  const mostEach = (input.length >> readShift) + (input.length >> queueShift) + (input.length >> copyShift);
  expect(all.work.units).toBeLessThan(crowdUnits + crowd * (mostEach + unitsEach));
  for (let turns = 0; all.kept > 0; turns++) {
    expect(turns).toBeLessThan(100_000);
    all.goOn();
  }
  expect(all.published).toBe(crowd * messages);
});
