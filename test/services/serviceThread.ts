import { parentPort } from 'node:worker_threads';
import { ShardThread } from '../../src/broker/shardThread.js';
import type { ShardThreadData } from '../../src/broker/threadMessages.js';
import { TestServices } from './testServices.js';

// A shard's thread on which services live, as `workers/shard.ts` is one without.
const port = parentPort;
if (port === null) throw new Error('a shard runs in a worker thread');
port.once('message', (data: ShardThreadData) => new ShardThread(data, port, (site) => [new TestServices(site)]));
