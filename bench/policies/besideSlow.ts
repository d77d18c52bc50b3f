import { policyNames } from '../../src/base/policy.js';
import { Broker } from './broker.js';
import { asking, Client, paced, percentile, publication } from './client.js';

const perSecond = 10_000;
const fast = 9;
const subject = 'feed';
const line = `MSG ${subject} 1 64\r\n`;
const messageBytes = line.length + 64 + 2;
const warmUpMs = 500;
const measuredMs = 2_500;
/** The slow one reads a tenth of the feed. */
const slowBytesPerSecond = (perSecond * messageBytes) / 10;

/** Latency of nine fast subscribers of a feed, without a slow one beside them and with one under each policy. */
export async function besideSlow(rounds: number): Promise<void> {
  console.log(`1 -> ${fast} fast + 1 that reads a tenth, ${perSecond}/s of 64 B: latency of the fast ones`);
  for (let round = 0; round < rounds; round++)
    for (const policy of ['none', 'all fast', ...policyNames]) console.log(await once(policy));
}

async function once(policy: string): Promise<string> {
  const broker = await Broker.start();
  const clients = await Promise.all(
    Array.from({ length: fast }, () => Client.open(broker.port, `SUB ${subject} 1\r\n`)),
  );
  const samples = new Float64Array(fast * perSecond * 4);
  let count = 0;
  let received = 0;
  let fromMs = Number.POSITIVE_INFINITY;
  const record = (bytes: Buffer, at: number): void => {
    received++;
    const sentMs = bytes.readDoubleLE(at);
    if (sentMs >= fromMs && count < samples.length) samples[count++] = performance.now() - sentMs;
  };
  for (const client of clients) client.readAll(messageBytes, line.length, record);
  const tenth = policy === 'none' ? null : await tenthOne(broker, policy);
  const publisher = await Client.open(broker.port, '');
  publisher.socket.resume();
  const message = publication(subject, ' '.repeat(64));
  fromMs = performance.now() + warmUpMs;
  let published = 0;
  await paced(perSecond, warmUpMs + measuredMs, (due, nowMs) => {
    const bytes = Buffer.concat(Array.from({ length: due }, () => message));
    for (let i = 0; i < due; i++) bytes.writeDoubleLE(nowMs, i * message.length + message.length - 66);
    published += due;
    publisher.socket.write(bytes);
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  tenth?.();
  for (const client of [...clients, publisher]) client.close();
  await broker.stop();
  const sorted = samples.subarray(0, count).sort();
  const [p50, p99] = [0.5, 0.99].map((part) => percentile(sorted, part).toFixed(2));
  return `${policy.padEnd(10)} p50 ${p50} ms  p99 ${p99} ms  ${received} of ${published * fast} delivered`;
}

/** Begins the tenth subscriber: another fast one, or a slow one with a policy. Returns how to end it. */
async function tenthOne(broker: Broker, policy: string): Promise<() => void> {
  const wish = policy === 'all fast' ? '' : asking({ policy, maxMessages: 1_000, maxDrops: 1e6 });
  const client = await Client.open(broker.port, `${wish}SUB ${subject} 1\r\n`);
  if (policy === 'all fast') {
    client.readAll(messageBytes, line.length, () => {});
    return () => client.close();
  }
  const read = client.reader(messageBytes, line.length, () => {});
  const timer = setInterval(() => read(slowBytesPerSecond / 100), 10);
  return () => {
    clearInterval(timer);
    client.close();
  };
}
