import { expect } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { ours } from '../harness/target.js';

ours('where addresses are limited it does without the WebAssembly kernel', async () => {
  const broker = await Broker.start({ shards: 2, addressKib: 4_000_000 });
  const client = await RawClient.connect(broker.port);
  const publish = Array.from({ length: 50 }, (_, i) => `PUB a ${String(i).length}\r\n${i}\r\n`).join('');
  const frames = await client.exchange(`SUB a 1\r\n${publish}`);
  expect(frames).toEqual(Array.from({ length: 50 }, (_, i) => `MSG a 1 | ${i}`));
  client.close();
  await broker.stop();
});
