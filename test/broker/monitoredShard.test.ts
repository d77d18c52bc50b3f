import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { Turn } from '../../src/base/turn.js';
import { MonitoredShard } from '../../src/broker/monitoredShard.js';

test('however fast pages are asked for, the thread has a turn between any two', async () => {
  let turns = 0;
  const seen: number[] = [];
  const turn = new Turn(() => turns++);
  const gateway = {
    turn,
    *reportSubscriptions() {
      for (let page = 0; page < 10; page++) {
        seen.push(turns);
        yield { rows: [], passed: 1 };
      }
    },
  };
  const { port1, port2 } = new MessageChannel();
  const shard = new MonitoredShard(port1, { gateway } as never);
  const asked = { connections: null, account: null, subject: '', max: 1 };
  port2.postMessage({ type: 'call', number: 1, name: 'walk', given: [7, 'subscriptions', asked] });
  for (let i = 2; i <= 11; i++) port2.postMessage({ type: 'call', number: i, name: 'more', given: [7] });
  for (let answers = 0; answers < 11; answers++) await once(port2, 'message');
  expect(seen).toHaveLength(10);
  expect(new Set(seen).size).toBe(10);
  shard.close();
});
