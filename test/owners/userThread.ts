import { parentPort, workerData } from 'node:worker_threads';
import { codecs, connectBroker } from 'shardcast';
import { hang } from './messages.js';

/** What a test asks of a user's thread. */
export type ToUser =
  | { readonly type: 'publish'; readonly from: number; readonly to: number }
  | { readonly type: 'hang'; readonly word: SharedArrayBuffer };
export type FromUser =
  | { readonly type: 'ready' | 'hanging' | 'published' }
  | { readonly type: 'message'; readonly text: string };

/** Publishes numbers to `moved.user`, and tells what comes on `moved.*`. */
const broker = await connectBroker((workerData as { port: Parameters<typeof connectBroker>[0] }).port);
const tell = (what: FromUser): void => parentPort!.postMessage(what);
const topic = broker.topic('moved.user', { codec: codecs.utf8 });
broker.topic('moved.*', { codec: codecs.utf8 }).subscribe((message) => {
  tell({ type: 'message', text: `${message.subject} ${message.value}` });
});

parentPort!.on('message', async (asked: ToUser) => {
  if (asked.type === 'hang') {
    hang(asked.word, () => tell({ type: 'hanging' }));
    return;
  }
  const sent: Promise<boolean>[] = [];
  for (let number = asked.from; number < asked.to; number++) sent.push(topic.publish(`user.${number}`));
  await Promise.all(sent);
  tell({ type: 'published' });
});
tell({ type: 'ready' });
