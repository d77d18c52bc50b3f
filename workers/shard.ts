import { parentPort } from 'node:worker_threads';
import { ShardThread } from '../src/broker/shardThread.js';
import type { ShardThreadData } from '../src/broker/threadMessages.js';

const port = parentPort;
if (port === null) throw new Error('a shard runs in a worker thread');
// What it is to be is told, not given with the thread: that may be started before it is known.
port.once('message', (data: ShardThreadData) => new ShardThread(data, port));
