import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { AckPolicy, type Consumer, jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { expect, onTestFinished, test } from 'vitest';
import { client } from '../../harness/officialClient.js';
import { Broker } from '../../harness/server.js';

// Invariant 52 of docs/INVARIANTS.md: what was confirmed is never delivered again, and what was not is, behind kill -9.

const messages = 150;
/** Confirmed before a broker is killed. */
const confirmedMax = 20;
const kills = Number(process.env.RESTART_KILLS ?? 2);
const longMs = 60_000;
/** At the end what is in flight is waited for; before that nothing is to come twice. */
const shortWaitMs = 1_000;

type NatsConnection = Parameters<typeof jetstream>[0];

interface Kept {
  readonly name: string;
  readonly retention: RetentionPolicy;
  readonly confirmed: Set<number>;
  readonly seen: Set<number>;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(`${tmpdir()}/shardcast-restart-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function fill(connection: NatsConnection, kept: readonly Kept[]): Promise<void> {
  const manager = await jetstreamManager(connection);
  const js = jetstream(connection);
  for (const { name, retention } of kept) {
    await manager.streams.add({ name, subjects: [`${name}.>`], retention });
    await manager.consumers.add(name, { durable_name: 'C', ack_policy: AckPolicy.Explicit });
    await Promise.all(Array.from({ length: messages }, (_, i) => js.publish(`${name}.${i % 7}`, `${i}`)));
  }
}

/** Takes messages and has each second one confirmed, until there are enough of those, or the broker is gone. */
async function work(consumer: Consumer, { confirmed, seen }: Kept, onEnough: () => void): Promise<void> {
  const before = new Set(confirmed);
  const enough = confirmed.size + confirmedMax;
  const taken = await consumer.consume({ max_messages: 30 });
  for await (const message of taken) {
    expect(before.has(message.seq), `${message.seq} was confirmed`).toBe(false);
    seen.add(message.seq);
    if (message.seq % 2 === 0) continue;
    const isConfirmed = await message.ackAck({ timeout: longMs }).catch(() => false);
    if (!isConfirmed) return;
    confirmed.add(message.seq);
    if (confirmed.size < enough) continue;
    onEnough();
    return;
  }
}

/** Takes all that is left, and has it confirmed. */
async function drain(consumer: Consumer, { confirmed, seen }: Kept): Promise<void> {
  // what is confirmed now may be on its way a second time already
  const before = new Set(confirmed);
  for (;;) {
    const { num_pending, num_ack_pending } = await consumer.info();
    if (num_pending + num_ack_pending === 0) return;
    const left = await consumer.fetch({ max_messages: num_pending + num_ack_pending, expires: 2 * shortWaitMs });
    const acknowledged: Promise<boolean>[] = [];
    for await (const message of left) {
      expect(before.has(message.seq), `${message.seq} was confirmed`).toBe(false);
      seen.add(message.seq);
      acknowledged.push(message.ackAck({ timeout: longMs }));
    }
    expect(await Promise.all(acknowledged)).not.toContain(false);
  }
}

test('what a work queue was never asked to deliver stays, though its consumer takes it by now', async () => {
  const data = temporaryFolder();
  const args = ['--data', data];
  const first = await Broker.start({ args });
  const connection = (await client(first.port, { reconnect: false })) as never as NatsConnection;
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'S', subjects: ['s.>'], retention: RetentionPolicy.Workqueue });
  await manager.consumers.add('S', { durable_name: 'C', ack_policy: AckPolicy.Explicit, filter_subject: 's.b' });
  for (const token of 'ab') await jetstream(connection).publish(`s.${token}`, token);
  const message = await (await jetstream(connection).consumers.get('S', 'C')).next({ expires: longMs });
  expect(await message?.ackAck({ timeout: longMs })).toBe(true);
  await manager.consumers.update('S', 'C', { filter_subject: 's.*' });
  await connection.close();
  await first.kill();
  const second = await Broker.start({ args });
  const again = await jetstreamManager((await client(second.port)) as never);
  expect((await again.streams.info('S')).state).toMatchObject({ messages: 1, first_seq: 1 });
  await second.kill();
});

test.each([1, 2, 4])('%i shards', async (shards) => {
  const data = temporaryFolder();
  const kept: Kept[] = [RetentionPolicy.Limits, RetentionPolicy.Workqueue, RetentionPolicy.Interest].map(
    (retention) => ({ name: retention, retention, confirmed: new Set(), seen: new Set() }),
  );
  const live = async (use: (connection: NatsConnection, broker: Broker) => Promise<void>): Promise<void> => {
    const broker = await Broker.start({ shards, args: ['--data', data] });
    const connection = await client(broker.port, { reconnect: false });
    await use(connection as never, broker);
    await connection.close();
    await broker.kill();
  };
  await live((connection) => fill(connection, kept));
  for (let round = 0; round < kills; round++)
    await live(async (connection, broker) => {
      const consumers = await Promise.all(kept.map(({ name }) => jetstream(connection).consumers.get(name, 'C')));
      const killed = () => broker.signal('SIGKILL');
      await Promise.race([
        broker.exited,
        Promise.all(kept.map((each, i) => work(consumers[i] as Consumer, each, killed))),
      ]);
      expect((await broker.exited).signal).toBe('SIGKILL');
    });
  await live(async (connection) => {
    const manager = await jetstreamManager(connection);
    for (const each of kept) {
      await manager.consumers.update(each.name, 'C', { ack_wait: shortWaitMs * 1e6 });
      await drain(await jetstream(connection).consumers.get(each.name, 'C'), each);
      expect(each.seen.size, 'each was seen').toBe(messages);
      const { state } = await manager.streams.info(each.name);
      expect(state.messages).toBe(each.retention === RetentionPolicy.Limits ? messages : 0);
    }
  });
});
