import { parentPort } from 'node:worker_threads';
import { ShardThread } from '../../src/broker/shardThread.js';
import type { ShardThreadData } from '../../src/broker/threadMessages.js';
import { TestServices } from '../services/testServices.js';
import { freeUser, limited } from './denied.js';

// A shard's thread on which not everybody may do everything, as `workers/shard.ts` is one where everybody may.
const port = parentPort;
if (port === null) throw new Error('a shard runs in a worker thread');
port.once('message', (data: ShardThreadData) => {
  const services = (site: ConstructorParameters<typeof TestServices>[0]) => [new TestServices(site)];
  new ShardThread(data, port, services, ({ user }) => (user === freeUser ? null : limited));
});
