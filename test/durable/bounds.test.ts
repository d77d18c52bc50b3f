import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { Broker } from '../harness/server.js';

// Invariant 42 of docs/INVARIANTS.md.

const insufficient = { error: { code: 503, err_code: 10023, description: 'insufficient resources' } };
const bounds = [
  '--stream-subjects-memory',
  '256KiB',
  '--stream-ids-memory',
  '256KiB',
  '--stream-requests-memory',
  '64KiB',
];

describe.each([1, 2])('%i shards', (shards) => {
  test('at the bounds of subjects, ids and requests there is a refusal, and the broker goes on', async () => {
    const broker = await Broker.start({ shards, args: bounds });
    const connection = await client(broker.port);
    const js = jetstream(connection as never, { timeout: 60_000 });
    const manager = await jetstreamManager(connection as never);
    await manager.streams.add({ name: 'S', subjects: ['s.>'], storage: 'memory' as never });

    /** Publishes until one is refused; returns how many were not. */
    const untilRefused = async (publish: (i: number) => Promise<unknown>): Promise<number> => {
      for (let taken = 0; taken < 20_000; taken += 100) {
        const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => publish(taken + i)));
        const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
        for (const { reason } of refused) expect(reason).toMatchObject({ code: 10023, status: 503 });
        if (refused.length > 0) return taken + 100 - refused.length;
      }
      throw new Error('nothing is refused');
    };
    expect(await untilRefused((i) => js.publish(`s.${i}`))).toBeGreaterThan(200);
    expect(await js.publish('s.1')).toMatchObject({ stream: 'S' });
    await manager.streams.purge('S');
    expect(await js.publish('s.new')).toMatchObject({ stream: 'S' });
    expect(await untilRefused((i) => js.publish('s.new', '', { msgID: `${i}` }))).toBeGreaterThan(200);
    expect(await js.publish('s.new', '', { msgID: '7' })).toMatchObject({ duplicate: true });
    expect(await js.publish('s.new')).toMatchObject({ stream: 'S' });

    const asking = Array.from({ length: 50 }, () => connection.request('$JS.API.STREAM.INFO.S', ' '.repeat(10_000)));
    const answers = (await Promise.all(asking)).map((answer) => answer.json<{ error?: object }>());
    const refused = answers.filter(({ error }) => error !== undefined);
    expect(refused.length).toBeGreaterThan(10);
    expect(refused.length).toBeLessThan(50);
    for (const { error } of refused) expect({ error }).toEqual(insufficient);
    expect((await manager.streams.info('S')).state.num_subjects).toBe(1);
    await connection.close();
    expect((await broker.stop()).code).toBe(0);
  });
});
