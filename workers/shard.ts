import { parentPort, workerData } from 'node:worker_threads';
import { ShardThread } from '../src/broker/shardThread.js';
import type { ShardThreadData } from '../src/broker/threadMessages.js';

if (parentPort === null) throw new Error('a shard runs in a worker thread');
new ShardThread(workerData as ShardThreadData, parentPort);
