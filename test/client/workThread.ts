import { parentPort, workerData } from 'node:worker_threads';
import { connectBroker } from 'shardcast';

// A thread with a member of a group, for work.test.ts.

const { port, topic, prefetch, acknowledges, deadLetter } = workerData;
const broker = await connectBroker(port);
broker.topic<number>(topic).subscribe(
  (message) => {
    parentPort!.postMessage(message.value);
    if (deadLetter !== undefined) message.terminate();
    else if (acknowledges) message.ack();
  },
  { group: 'g', prefetch, deadLetter },
);
parentPort!.on('message', async () => {
  await broker.close();
  parentPort!.close();
});
parentPort!.postMessage('ready');
