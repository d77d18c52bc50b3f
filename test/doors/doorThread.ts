import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { connectBroker } from 'shardcast';
import type { FromDoorThread, ToDoorThread } from './everyDoor.js';
import { processDoor } from './processDoor.js';

/** A thread of the user's: subscribes and publishes as it is told, and tells what it receives. */
const { port } = workerData as { port: MessagePort };
const door = processDoor(await connectBroker(port));
const tell = (what: FromDoorThread): void => parentPort!.postMessage(what);

parentPort!.on('message', async (asked: ToDoorThread) => {
  if (asked.type === 'publish') await door.publish(asked.message);
  else await door.subscribe(asked.subject, (message) => tell({ type: 'message', message }), asked.last);
  tell({ type: 'done' });
});
tell({ type: 'done' });
