import { expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { feed, publication, setScene } from './slowSubscriber.js';

const server = useBroker({ args: ['--write-deadline', '60s'] });

test('who loses much is named in the log once a window, not once a message', async () => {
  const scene = await setScene(server.port, 'losing', { policy: 'drop-new', maxMessages: 5 });
  const logged = server.broker.logged(/slow subscriber: messages are dropped/);
  await feed(scene, 'losing', 0, 1_000);
  const line = (await logged).input.split('\n').find((each) => each.includes('messages are dropped')) ?? '';
  const { subject, policy, dropped } = JSON.parse(line) as { subject: string; policy: string; dropped: number };
  expect([subject, policy]).toEqual(['losing', 'drop-new']);
  expect(dropped).toBeGreaterThan(100);
  expect(server.broker.output.match(/messages are dropped/g)).toHaveLength(1);
  const other = await RawClient.connect(server.port);
  await other.exchange(publication('losing', 'x'));
});
