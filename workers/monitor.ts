import { parentPort } from 'node:worker_threads';
import type { MonitorData } from '../src/broker/monitorMessages.js';
import { MonitorThread } from '../src/broker/monitorThread.js';

const port = parentPort;
if (port === null) throw new Error('the monitor runs in a worker thread');
port.once('message', (data: MonitorData) => new MonitorThread(data, port));
