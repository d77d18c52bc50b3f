/**
 * Inside one's own process, without a port: typed topics, a work queue, and a worker thread with lanes of its own.
 *
 *     node dist/examples/inProcess.js
 */
import { once } from 'node:events';
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';
import { codecs, connectBroker, startBroker } from 'shardcast';

interface Quote {
  bid: number;
  ask: number;
}

const onQuotes = { codec: codecs.json } as const;

if (isMainThread) await program();
else await spreads(workerData as MessagePort);

async function program(): Promise<void> {
  const broker = await startBroker({ shards: 2, listen: false, logLevel: 'warn' });
  const port = broker.port();
  const jobs = broker.queue<string>('jobs', { codec: codecs.utf8 });
  const worker = new Worker(new URL(import.meta.url), { workerData: port, transferList: [port] });
  await once(worker, 'message');

  const job = jobs.take();
  const quotes = broker.topic<Quote>('md.eq.*', onQuotes);
  await quotes.publish({ bid: 101, ask: 103 }, { subject: 'md.eq.ACME' });
  console.log((await job)?.value);
  await broker.stop();
}

/** The worker: what the spread of each quote is becomes a job for whoever takes it. */
async function spreads(port: MessagePort): Promise<void> {
  const broker = await connectBroker(port);
  const jobs = broker.queue<string>('jobs', { codec: codecs.utf8 });
  const quotes = broker.topic<Quote>('md.eq.*', onQuotes).subscribe();
  parentPort?.postMessage('subscribed');
  for await (const { subject, value } of quotes) await jobs.put(`${subject}: ${value.ask - value.bid}`);
}
