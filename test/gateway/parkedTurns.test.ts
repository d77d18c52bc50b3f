import { expect, test } from 'vitest';
import { carryBytesMax } from '../../src/base/limits.js';
import { Turn } from '../../src/base/turn.js';
import { Work } from '../../src/base/work.js';
import type { Connection } from '../../src/gateway/connection.js';
import { NatsReader } from '../../src/gateway/doors/natsReader.js';
import { Ingress } from '../../src/gateway/ingress.js';
import { Shares } from '../../src/gateway/shares.js';
import type { Publication } from '../../src/protocol/publication.js';
import { idleConnection } from './connections.js';
import { NoCommands } from './noCommands.js';

// Invariant 51 of docs/INVARIANTS.md.

/** Connections that publish where there is room for few messages at a time. */
class Crowd {
  readonly work = new Work();
  /** Messages for which there is room. */
  room = 0;
  readonly published = new Map<number, number>();
  /** Who is tried again, and who was each time that something was published. */
  retried = 0;
  readonly retriedAt: number[] = [];
  /** How many others waited each time. */
  readonly waitingAt: number[] = [];
  readonly #ingress: Ingress;
  readonly #shares = new Shares(this.work, new Turn(() => {}));
  readonly #reader: NatsReader;

  constructor() {
    const publish = ({ id }: Connection, { message }: Publication): number => {
      const taken = Math.min(this.room, message.count);
      this.room -= taken;
      this.retriedAt.push(this.retried);
      this.waitingAt.push(this.#ingress.parkedCount);
      this.published.set(id, (this.published.get(id) ?? 0) + taken);
      return taken;
    };
    class Commands extends NoCommands {
      override publish = publish;
    }
    this.#reader = new NatsReader({ maxControlLineBytes: 4096, maxPayloadBytes: 1024 }, new Commands(), this.work);
    const retries = {
      beginRetry: ({ id }: Connection) => {
        this.retried = id;
      },
      endRetry: () => {
        this.retried = 0;
      },
    };
    this.#ingress = new Ingress(this.#shares, { finishInput: () => true }, retries);
  }

  join(id: number): Connection {
    return Object.assign(idleConnection(id), { reader: this.#reader, socket: { resume: () => {} } });
  }

  read(connection: Connection, messages: number): void {
    const input = Buffer.from('PUB a 0\r\n\r\n'.repeat(messages));
    const bytes = new Uint8Array(carryBytesMax + input.length);
    bytes.set(input, carryBytesMax);
    this.#shares.begin(connection);
    this.#ingress.onRead(connection, bytes, carryBytesMax, bytes.length);
    this.#shares.end(connection);
  }

  /** A turn in which there is room for some. */
  relieve(messages: number): void {
    this.work.nextTurn();
    this.room = messages;
    this.#ingress.resumeParked();
    this.#shares.serve((connection) => this.#ingress.goOn(connection));
  }
}

test('who has much to say leaves some of the room to the others', () => {
  const crowd = new Crowd();
  const greedy = crowd.join(1);
  const others = [crowd.join(2), crowd.join(3), crowd.join(4)];
  crowd.read(greedy, 200);
  for (const other of others) crowd.read(other, 1);
  const all = 1 + others.length;
  for (let turns = 0; turns < 3 * all; turns++) {
    crowd.relieve(1);
    // it never has nothing to say
    if (!greedy.parked) crowd.read(greedy, 200);
  }
  for (const { id } of others) expect(crowd.published.get(id), `connection ${id}`).toBe(1);
  expect(crowd.published.get(1)).toBeGreaterThan(all);
});

test('whose retry it is is said of each connection that was parked, and of none that is read', () => {
  const crowd = new Crowd();
  crowd.read(crowd.join(1), 1);
  crowd.read(crowd.join(2), 1);
  expect(crowd.retriedAt).toEqual([0, 0]);
  crowd.relieve(2);
  crowd.read(crowd.join(3), 1);
  expect(crowd.retriedAt).toEqual([0, 0, 1, 2, 0]);
});

test('those that are to be tried count as waiting while others are', () => {
  const crowd = new Crowd();
  for (let id = 1; id <= 3; id++) crowd.read(crowd.join(id), 1);
  crowd.waitingAt.length = 0;
  crowd.relieve(3);
  expect(crowd.waitingAt).toEqual([2, 1, 0]);
});
