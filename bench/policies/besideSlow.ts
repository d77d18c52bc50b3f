import { policyNames } from '../../src/base/policy.js';
import { median } from '../median.js';
import { percentile } from '../percentile.js';
import { Broker } from './broker.js';
import { asking, Client, paced, publication } from './client.js';

const perSecond = 5_000;
const payloadBytes = 1_024;
const fast = 9;
const line = `MSG feed 1 ${payloadBytes}\r\n`;
const messageBytes = line.length + payloadBytes + 2;
const warmUpMs = 1_000;
const measuredMs = 2_000;
/** The slow one reads a tenth of the feed. */
const slowBytesPerSecond = (perSecond * messageBytes) / 10;
/** Two runs to compare with: nobody else, and a tenth fast one. */
const references = ['nobody', 'a fast one'];

interface Result {
  readonly p50: number;
  readonly p99: number;
  readonly got: number;
  readonly published: number;
  readonly slowRead: number;
}

/** Latency of nine fast subscribers of a feed, without a slow one beside them and with one under each policy. */
export async function besideSlow(rounds: number): Promise<void> {
  console.log(`1 -> ${fast} fast ones and a tenth, ${perSecond}/s of ${payloadBytes} B; medians of ${rounds} rounds`);
  const beside = [...references, ...policyNames];
  const results = new Map(beside.map((name) => [name, [] as Result[]]));
  for (let round = 0; round < rounds; round++) for (const name of beside) results.get(name)?.push(await once(name));
  for (const [name, runs] of results) {
    const [p50, p99] = (['p50', 'p99'] as const).map((which) => median(runs.map((run) => run[which])).toFixed(2));
    const missed = runs.reduce((sum, run) => sum + run.published * fast - run.got, 0);
    const read = references.includes(name) ? '' : `; it read ${runs[0]?.slowRead} of ${runs[0]?.published}`;
    console.log(`${name.padEnd(10)} p50 ${p50} ms  p99 ${p99} ms  missed ${missed}${read}`);
  }
}

async function once(beside: string): Promise<Result> {
  const broker = await Broker.start();
  const clients = await Promise.all(Array.from({ length: fast }, () => Client.open(broker.port, 'SUB feed 1\r\n')));
  const samples = new Float64Array(fast * perSecond * 4);
  let count = 0;
  let got = 0;
  let fromMs = Number.POSITIVE_INFINITY;
  for (const client of clients)
    client.readAll(messageBytes, line.length, (bytes, at) => {
      got++;
      const sentMs = bytes.readDoubleLE(at);
      if (sentMs >= fromMs && count < samples.length) samples[count++] = performance.now() - sentMs;
    });
  const tenth = await Tenth.open(broker.port, beside);
  // one that is waited for has a feed of its own: the point is that nobody else waits
  const topics = beside === 'block' ? ['feed', 'held'] : ['feed'];
  const publishers = await Promise.all(topics.map(() => Client.open(broker.port, '')));
  for (const publisher of publishers) publisher.socket.resume();
  const messages = topics.map((topic) => publication(topic, ' '.repeat(payloadBytes)));
  fromMs = performance.now() + warmUpMs;
  let published = 0;
  await paced(perSecond, warmUpMs + measuredMs, (due, nowMs) => {
    for (const [i, message] of messages.entries()) {
      const bytes = Buffer.concat(Array.from({ length: due }, () => message));
      for (let at = 1; at <= due; at++) bytes.writeDoubleLE(nowMs, at * message.length - payloadBytes - 2);
      publishers[i]?.socket.write(bytes);
    }
    published += due;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  tenth.close();
  for (const client of [...clients, ...publishers]) client.close();
  await broker.stop();
  const sorted = samples.subarray(0, count).sort();
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), got, published, slowRead: tenth.read };
}

/** The tenth subscriber: none, another fast one, or a slow one with a policy. */
class Tenth {
  read = 0;
  #client: Client | null = null;
  #timer: NodeJS.Timeout | undefined;

  static async open(port: number, beside: string): Promise<Tenth> {
    const tenth = new Tenth();
    if (beside === 'nobody') return tenth;
    const wish = references.includes(beside) ? '' : asking({ policy: beside, maxMessages: 1_000, maxDrops: 1e6 });
    const client = await Client.open(port, `${wish}SUB ${beside === 'block' ? 'held' : 'feed'} 1\r\n`);
    tenth.#client = client;
    const onMessage = (): void => {
      tenth.read++;
    };
    if (references.includes(beside)) client.readAll(messageBytes, line.length, onMessage);
    else {
      const read = client.reader(messageBytes, line.length, onMessage);
      tenth.#timer = setInterval(() => read(slowBytesPerSecond / 100), 10);
    }
    return tenth;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#client?.close();
  }
}
