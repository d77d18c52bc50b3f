import { Broker } from './broker.js';
import { Client, paced, percentile, publication } from './client.js';

const subscribers = 20;
const perSecond = 5_000;
const subject = 'feed';
const line = `MSG ${subject} 1 64\r\n`;
const messageBytes = line.length + 64 + 2;
const warmUpMs = 500;
const measuredMs = 2_500;

/** What holding deliveries back costs and saves: latency, broker CPU a delivery. */
export async function lingering(): Promise<void> {
  console.log(`1 -> ${subscribers}, ${perSecond}/s of 64 B, one publish a write`);
  for (const lingerUs of [0, 500, 2_000, 10_000]) console.log(await once(lingerUs));
}

async function once(lingerUs: number): Promise<string> {
  const broker = await Broker.start('--linger-us', `${lingerUs}`);
  const clients = await Promise.all(
    Array.from({ length: subscribers }, () => Client.open(broker.port, `SUB ${subject} 1\r\n`)),
  );
  const samples = new Float64Array(subscribers * perSecond * 4);
  let count = 0;
  let received = 0;
  let fromMs = Number.POSITIVE_INFINITY;
  for (const client of clients) {
    client.readAll(messageBytes, line.length, (bytes, at) => {
      received++;
      const sentMs = bytes.readDoubleLE(at);
      if (sentMs >= fromMs) samples[count++] = performance.now() - sentMs;
    });
  }
  const publisher = await Client.open(broker.port, '');
  publisher.socket.resume();
  const cpuBefore = broker.cpuSeconds;
  fromMs = performance.now() + warmUpMs;
  await paced(perSecond, warmUpMs + measuredMs, (due, nowMs) => {
    for (let i = 0; i < due; i++) {
      const message = publication(subject, ' '.repeat(64));
      message.writeDoubleLE(nowMs, message.length - 66);
      publisher.socket.write(message);
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const cpuUs = ((broker.cpuSeconds - cpuBefore) * 1e6) / received;
  for (const client of [...clients, publisher]) client.close();
  await broker.stop();
  const sorted = samples.subarray(0, count).sort();
  const [p50, p99] = [0.5, 0.99].map((part) => percentile(sorted, part).toFixed(2));
  return `linger ${`${lingerUs}`.padStart(5)} µs  p50 ${p50} ms  p99 ${p99} ms  broker CPU ${cpuUs.toFixed(2)} µs a delivery`;
}
