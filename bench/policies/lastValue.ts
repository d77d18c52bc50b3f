import { median } from '../median.js';
import { Broker } from './broker.js';
import { asking, Client, publication } from './client.js';

const subjects = 100_000;
const payload = 'x'.repeat(128);
const nameOf = (i: number): string => `md.${String(i).padStart(6, '0')}`;
const line = `MSG ${nameOf(0)} 1 ${payload.length}\r\n`;
const messageBytes = line.length + payload.length + 2;
const batch = 1_000;
const rounds = 5;
/** Subjects and messages for what keeping costs. */
const busy = 1_000;
const published = 1_000_000;

/** What last values take of memory and processor, and how long an image of many subjects takes. */
export async function lastValue(): Promise<void> {
  console.log(`last values of ${subjects} subjects, ${payload.length} B each`);
  for (const shards of [1, 2, 4]) console.log(await imageOf(shards));
  const [kept, plain]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    plain.push(await publishing());
    kept.push(await publishing('--last-value', 'md.>'));
  }
  const [costs, without] = [kept, plain].map((values) => median(values).toFixed(3));
  console.log(`1 -> 1, ${busy} subjects: broker CPU ${costs} µs a message with values kept, ${without} µs without`);
}

async function imageOf(shards: number): Promise<string> {
  const broker = await Broker.start('--shards', `${shards}`, '--last-value', 'md.>');
  const publisher = await Client.open(broker.port, '');
  await publishAll(publisher, 1_000);
  const before = broker.residentBytes;
  await publishAll(publisher, subjects);
  const each = (broker.residentBytes - before) / subjects;
  const firsts: number[] = [];
  const wholes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { firstMs, wholeMs } = await takeImage(broker.port);
    firsts.push(firstMs);
    wholes.push(wholeMs);
  }
  publisher.close();
  await broker.stop();
  const [first, whole] = [firsts, wholes].map((values) => median(values).toFixed(1));
  return `${shards} shards: first after ${first} ms, all after ${whole} ms; ${each.toFixed(0)} B resident a subject`;
}

/** Publishes to so many subjects, and waits until the broker has carried it out. */
async function publishAll(client: Client, count: number): Promise<void> {
  const done = pong(client);
  for (let i = 0; i < count; i += batch)
    client.socket.write(Buffer.concat(Array.from({ length: batch }, (_, j) => publication(nameOf(i + j), payload))));
  client.socket.write('PING\r\n');
  await done;
}

function pong({ socket }: Client): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    const look = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!text.includes('PONG\r\n')) return;
      socket.off('data', look);
      resolve();
    };
    socket.removeAllListeners('readable').on('data', look).resume();
  });
}

async function takeImage(port: number): Promise<{ firstMs: number; wholeMs: number }> {
  const client = await Client.open(port, asking({ last: true }));
  const startMs = performance.now();
  let firstMs = 0;
  let received = 0;
  await new Promise<void>((resolve) => {
    client.readAll(messageBytes, line.length, () => {
      if (received++ === 0) firstMs = performance.now() - startMs;
      if (received === subjects) resolve();
    });
    client.socket.write('SUB md.* 1\r\n');
  });
  client.close();
  return { firstMs, wholeMs: performance.now() - startMs };
}

/** Broker CPU a message, in microseconds, of one publisher at full speed and one subscriber. */
async function publishing(...args: string[]): Promise<number> {
  const broker = await Broker.start(...args);
  const subscriber = await Client.open(broker.port, 'SUB md.* 1\r\n');
  const publisher = await Client.open(broker.port, '');
  let received = 0;
  subscriber.readAll(messageBytes, line.length, () => {
    received++;
  });
  await publishAll(publisher, 100_000 - (100_000 % busy));
  const before = broker.cpuSeconds;
  const countBefore = received;
  for (let sent = 0; sent < published; sent += busy) await publishAll(publisher, busy);
  const cpuUs = ((broker.cpuSeconds - before) * 1e6) / published;
  if (received - countBefore < published / 2) throw new Error('the subscriber did not keep up');
  for (const client of [publisher, subscriber]) client.close();
  await broker.stop();
  return cpuUs;
}
