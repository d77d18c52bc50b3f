import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { codecs, connectBroker } from 'shardcast';

/** A subscriber on a thread of its own: told how many messages there were, it says when it has got them. */
const broker = await connectBroker(workerData as MessagePort);
let received = 0;
let expected = -1;
broker.topic('measured', { codec: codecs.bytes }).subscribe(() => {
  if (++received === expected) parentPort!.postMessage('received');
});
parentPort!.on('message', (published: number) => {
  expected = published;
  if (received === expected) parentPort!.postMessage('received');
});
parentPort!.postMessage('ready');
