import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { codecs, startBroker } from 'shardcast';
import { Bench } from 'tinybench';
import { createEmitters, type Emitter } from './emitters.js';

const subscribers = 10;
const batches = [1, 100, 10_000];
const threadUrl = new URL('./inProcessThread.js', import.meta.url);

/** Publishes a second from this thread to ten subscribers on it, in batches, beside event emitters: rows of a table. */
export async function inProcessTable(timeMs: number): Promise<string[][]> {
  const emitters = await createEmitters(subscribers);
  const header = [
    `in-process: 1 -> ${subscribers}, 16 B`,
    ...batches.map((batch) => `batches of ${count(batch)}`),
    'guarantees',
  ];
  const rows = [header];
  for (const emitter of emitters) {
    const rates: string[] = [];
    for (const batch of batches) rates.push(count(await publishesPerSecond(emitter, batch, timeMs)));
    rows.push([emitter.name, ...rates, emitter.guarantees]);
  }
  for (const emitter of emitters) await emitter.close?.();
  return rows;
}

/** By the median of its batches. */
async function publishesPerSecond(emitter: Emitter, batch: number, timeMs: number): Promise<number> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4 });
  bench.add(emitter.name, () => emitter.publish(batch));
  await bench.run();
  const [{ result }] = bench.tasks as [(typeof bench.tasks)[0]];
  if (!('latency' in result)) throw new Error(`${emitter.name} was not measured: ${result.state}`);
  return (batch * 1000) / result.latency.p50;
}

/** Publishes a second from this thread that a subscriber on another thread has got, through a shard on a third. */
export async function acrossThreadsTable(timeMs: number): Promise<string[][]> {
  const rows = [['in-process: across threads, 16 B', 'publishes/s', 'what is measured']];
  const broker = await startBroker({ shards: 1, listen: false, logLevel: 'silent' });
  const port = broker.port();
  const thread = new Worker(threadUrl, { workerData: port, transferList: [port] });
  await once(thread, 'message');
  const topic = broker.topic('measured', { codec: codecs.bytes });
  const payload = new Uint8Array(16);
  let published = 0;
  /** Publishes for a while, and waits until the last one is received. */
  const publishFor = async (ms: number): Promise<void> => {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      for (let i = 0; i < 1_000; i++) if (!topic.offer(payload)) await topic.publish(payload);
      published += 1_000;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    const last = once(thread, 'message');
    thread.postMessage(published);
    await last;
  };
  await publishFor(timeMs);
  const before = published;
  const started = performance.now();
  await publishFor(timeMs * 4);
  const perSecond = ((published - before) * 1000) / (performance.now() - started);
  rows.push([
    'main thread -> shard -> worker thread',
    count(perSecond),
    'offer, or publish where that is refused, until the last one is received',
  ]);
  await thread.terminate();
  await broker.stop();
  return rows;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
