import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { codecs, connectBroker, type SubscribeOptions } from 'shardcast';

/**
 * A thread of the user's that subscribes to `subject`, and on `sleep` leaves its event loop alone until it is woken through
 * `gate`. On `progress` it says how much it has got, on `report` what.
 */
const { port, gate, subject, options } = workerData as {
  port: MessagePort;
  gate: Int32Array;
  subject: string;
  options: SubscribeOptions;
};
const broker = await connectBroker(port);
const received: string[] = [];
const subscription = broker
  .topic(subject, { codec: codecs.utf8 })
  .subscribe(({ subject: from, value }) => void received.push(`${from} ${Number.parseInt(value, 10)}`), options);
parentPort!.on('message', async (order: 'sleep' | 'progress' | 'report' | 'close') => {
  if (order === 'sleep') {
    parentPort!.postMessage('sleeping');
    Atomics.wait(gate, 0, 0);
  } else if (order === 'progress') {
    parentPort!.postMessage({ received: received.length, dropped: subscription.dropped });
  } else if (order === 'report') {
    parentPort!.postMessage({ received, dropped: subscription.dropped });
  } else {
    await broker.close();
    parentPort!.close();
  }
});
parentPort!.postMessage('ready');
