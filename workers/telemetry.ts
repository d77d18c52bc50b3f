import { parentPort } from 'node:worker_threads';
import type { TelemetryData } from '../src/broker/telemetryMessages.js';
import { TelemetryThread } from '../src/broker/telemetryThread.js';

const port = parentPort;
if (port === null) throw new Error('spans are exported by a worker thread');
port.once('message', (data: TelemetryData) => new TelemetryThread(data, port));
