import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { shareUnits, shareUnitsMin } from '../../src/base/limits.js';
import { Turn } from '../../src/base/turn.js';
import type { CommandsHost } from '../../src/gateway/commands/host.js';
import type { Verdicts } from '../../src/gateway/commands/verdicts.js';
import { WorkAnswers } from '../../src/gateway/commands/workAnswers.js';
import type { Connection } from '../../src/gateway/connection.js';
import { NatsReader } from '../../src/gateway/doors/natsReader.js';
import { LocalQueue } from '../../src/gateway/fanoutPlan.js';
import { Ingress } from '../../src/gateway/ingress.js';
import { Prefetching } from '../../src/gateway/prefetch/prefetching.js';
import { Shares } from '../../src/gateway/shares.js';
import type { Publication } from '../../src/protocol/publication.js';
import { DeadLetters } from '../../src/router/deadLetters.js';
import type { Topic } from '../../src/router/topic.js';
import { HeldMessages } from '../../src/subscriber/heldMessages.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, subscribed } from './connections.js';
import { headOf, messageOf } from './messages.js';
import { NoCommands } from './noCommands.js';
import { noRetries } from './noRetries.js';

// Invariant 25 of docs/INVARIANTS.md: what is said of deliveries costs its connection's share what it takes.

/** A gateway's thread on which NATS clients say something of what they have in flight. */
class Floor extends NoCommands {
  readonly under = new RouterUnderTest(0, 1);
  readonly work = this.under.router.work;
  readonly shares = new Shares(this.work, new Turn(() => {}));
  readonly prefetching = new Prefetching(
    this.under.router,
    new HeldMessages<Topic>(),
    new DeadLetters(this.under.router, { ready: () => true, publish: () => true }),
    { deliverTo: () => {}, giveBack: () => {}, onBusy: () => {}, requestTurn: () => {}, nowMs: () => 1000 },
  );
  readonly ingress = new Ingress(this.shares, { finishInput: () => true }, noRetries);
  readonly reader = new NatsReader({ maxControlLineBytes: 4096, maxPayloadBytes: 1024 }, this, this.work);
  readonly #answers = new WorkAnswers(
    { router: this.under.router, delivery: { prefetching: this.prefetching } } as unknown as CommandsHost,
    { accept: () => {} } as unknown as Verdicts,
  );
  signs = 0;
  pings = 0;

  override publish(connection: Connection, publication: Publication): number {
    const taken = this.#answers.take(connection, publication);
    this.signs += taken;
    return taken;
  }

  override ping(): boolean {
    this.pings++;
    return true;
  }

  newcomer(id: number): Connection {
    return Object.assign(idleConnection(id), { reader: this.reader, socket: { resume: () => {} } as Socket });
  }

  /** A client that has a message in flight, its first delivery. */
  worker(id: number): Connection {
    const connection = this.newcomer(id);
    const member = subscribed(connection, 'jobs', '1', 'workers');
    member.inFlight = this.prefetching.inFlightFor(1);
    this.under.router.interest.addLocal(member);
    const group = new LocalQueue('workers');
    group.add(member, headOf('jobs', '1'));
    this.prefetching.take(this.under.topic('jobs'), 'workers', group, messageOf('x'), 0);
    return connection;
  }

  say(connection: Connection, text: string): void {
    const bytes = Buffer.alloc(64 * 1024 + text.length);
    this.shares.begin(connection);
    this.ingress.onRead(connection, bytes, 64 * 1024, 64 * 1024 + bytes.write(text, 64 * 1024));
    this.shares.end(connection);
  }
}

test.each([
  // as measured, in units of 50 ns: a sign takes 1.1 to 1.7 us, one that has a message held back 2.6 to 3 us
  ['+WPI', 20],
  ['-NAK {"delay":80000000000}', 50],
])('a flood of %s holds up nobody: a share of a turn is no more of them than last so long', (said, unitsEach) => {
  const floor = new Floor();
  const [hog, other] = [floor.worker(1), floor.newcomer(2)];
  const count = 20_000;
  floor.say(hog, `PUB $SHARDCAST.ACK.1.1 ${said.length}\r\n${said}\r\n`.repeat(count));
  const most = (shareUnits + shareUnitsMin) / unitsEach;
  expect(floor.signs).toBeLessThanOrEqual(most);
  let turns = 0;
  while (floor.signs < count) {
    const before = floor.signs;
    floor.work.nextTurn();
    floor.say(other, 'PING\r\n');
    expect(floor.pings).toBe(++turns);
    floor.shares.serve((connection) => floor.ingress.goOn(connection));
    expect(floor.signs).toBeGreaterThan(before);
    expect(floor.signs - before).toBeLessThanOrEqual(most);
  }
  expect(floor.signs).toBe(count);
  expect(hog.unacknowledged.find(1)).not.toBeNull();
});
