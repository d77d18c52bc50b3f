import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { codecs, connectBroker } from 'shardcast';

/** A thread of the user's: doubles what comes on `in.>`, says when it is ready, and ends its connection when told to. */
const { port, prefix } = workerData as { port: MessagePort; prefix: string };
const broker = await connectBroker(port);
const out = broker.topic(`out.${prefix}`, { codec: codecs.utf8 });
broker.topic('in.>', { codec: codecs.utf8 }).subscribe(async ({ value }) => {
  await out.publish(`${prefix}${value}`);
});
broker.topic('never').subscribe(() => {
  parentPort!.postMessage('begun');
  return new Promise(() => {});
});
broker.reply(`ask.${prefix}`, ({ value }) => `${prefix}${value}`, { codec: codecs.utf8 });
parentPort!.once('message', async () => {
  await broker.close();
  parentPort!.postMessage('closed');
});
parentPort!.postMessage('ready');
