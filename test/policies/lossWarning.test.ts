import { expect, test } from 'vitest';
import { useBroker } from '../harness/server.js';
import { feed, setScene } from './slowSubscriber.js';

const server = useBroker({ args: ['--write-deadline', '60s', '--loss-window', '500ms'] });

interface Warning {
  readonly msg: string;
  readonly subject: string;
  readonly policy: string;
  readonly dropped: number;
  readonly delivered: number;
}

test('who loses much is named in the log once a window, not once a message', async () => {
  const scene = await setScene(server.port, 'losing', { policy: 'drop-new', maxMessages: 5 });
  const logged = server.broker.logged(/messages are dropped/);
  await feed(scene, 'losing', 0, 1_000);
  await logged;
  const lines = server.broker.output.split('\n').filter((line) => line.includes('messages are dropped'));
  const warnings = lines.map((line) => JSON.parse(line) as Warning);
  for (const { subject, policy } of warnings) expect([subject, policy]).toEqual(['losing', 'drop-new']);
  const dropped = warnings.reduce((sum, warning) => sum + warning.dropped, 0);
  expect(dropped).toBeGreaterThan(warnings.length);
  expect(dropped).toBeLessThanOrEqual(1_000);
});
