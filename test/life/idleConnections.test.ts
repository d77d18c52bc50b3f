import { expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';

// Invariant 14 of docs/INVARIANTS.md.

const connections = 10_000;
const server = useBroker({ shards: 2 });

test('ten thousand idle connections: open, hold, close, nothing left', async () => {
  const bystander = await RawClient.connect(server.port);
  await bystander.exchange('SUB b 1\r\n');
  // libuv opens one descriptor of its own in each loop that has had a connection, and keeps it
  for (const client of await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(server.port))))
    await client.exchange();
  const before = { bytes: server.broker.residentBytes, descriptors: server.broker.descriptors };
  const clients: RawClient[] = [];
  while (clients.length < connections) {
    clients.push(...(await Promise.all(Array.from({ length: 500 }, () => RawClient.connect(server.port)))));
  }
  const bytesEach = (server.broker.residentBytes - before.bytes) / connections;
  console.log(`${Math.round(bytesEach)} bytes of resident memory an idle connection`);
  expect(bytesEach).toBeLessThan(64_000);
  for (const client of clients.filter((_, i) => i % 100 === 0))
    expect(await client.exchange('PUB b 1\r\nx\r\n')).toEqual([]);
  expect(await bystander.exchange()).toHaveLength(connections / 100);
  for (const client of clients) client.close();
  while (server.broker.descriptors > before.descriptors) await bystander.exchange();
  expect(await bystander.exchange('PUB b 1\r\nx\r\n')).toEqual(['MSG b 1 | x']);
});
