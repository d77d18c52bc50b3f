import { percentile } from '../percentile.js';
import { Broker } from './broker.js';
import { asking, Client, paced, publication } from './client.js';

const subjects = 1_000;
const perSecond = 200_000;
const readPerSecond = 5_000;
const subjectOf = (which: number): string => `md.${`${which}`.padStart(4, '0')}`;
const line = `MSG ${subjectOf(0)} 1 64\r\n`;
const messageBytes = line.length + 64 + 2;
/** What every value is to be newer than: the slow one has read each subject once in this time. */
const cycleMs = (subjects / readPerSecond) * 1_000;
const warmUpMs = 2_000;

/** A feed of many subjects, a reader that conflates because it is slow, and a fast one beside it. */
export async function conflation(durationMs: number): Promise<void> {
  console.log(`${subjects} subjects at ${perSecond}/s of 64 B, a conflating reader of ${readPerSecond}/s, a fast one`);
  const broker = await Broker.start();
  const fast = await Client.open(broker.port, 'SUB md.> 1\r\n');
  const slow = await Client.open(broker.port, `${asking({ policy: 'conflate' })}SUB md.> 1\r\n`);
  const publisher = await Client.open(broker.port, '');
  publisher.socket.resume();
  let received = 0;
  fast.readAll(messageBytes, line.length, () => received++);
  const ages = new Float64Array(readPerSecond * 60);
  const cycles = new Float64Array(ages.length);
  const readBefore = new Map<string, number>();
  let count = 0;
  const startMs = performance.now();
  const read = slow.reader(messageBytes, line.length, (bytes, at) => {
    const nowMs = performance.now();
    const subject = bytes.toString('latin1', at - 12, at - 6);
    const before = readBefore.get(subject);
    readBefore.set(subject, nowMs);
    if (before === undefined || nowMs - startMs < warmUpMs) return;
    ages[count] = nowMs - bytes.readDoubleLE(at);
    cycles[count++] = nowMs - before;
  });
  const messages = Array.from({ length: subjects }, (_, which) => publication(subjectOf(which), ' '.repeat(64)));
  const round = Buffer.concat(messages);
  const size = messages[0]!.length;
  let at = 0;
  let published = 0;
  let residentBytes = 0;
  await paced(perSecond, durationMs, (due, nowMs) => {
    for (let left = due; left > 0; ) {
      const some = Math.min(left, subjects - at);
      const bytes = Buffer.from(round.subarray(at * size, (at + some) * size));
      for (let i = 0; i < some; i++) bytes.writeDoubleLE(nowMs, i * size + size - 66);
      publisher.socket.write(bytes);
      at = (at + some) % subjects;
      left -= some;
    }
    published += due;
    read((readPerSecond * messageBytes * due) / perSecond);
    if (residentBytes === 0 && nowMs - startMs > warmUpMs) residentBytes = broker.residentBytes;
  });
  const growth = broker.residentBytes - residentBytes;
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const client of [fast, slow, publisher]) client.close();
  await broker.stop();
  const show = (all: Float64Array): string => {
    const sorted = all.slice(0, count).sort();
    return [0.5, 0.99, 1].map((part) => `${percentile(sorted, part).toFixed(0)} ms`).join(', ');
  };
  console.log(`fast one: ${received} of ${published}; conflating one: ${count} values, subjects ${readBefore.size}`);
  // a busy machine does not let it read at its pace: then its cycle is as long as it took
  const old = ages.subarray(0, count).filter((age, i) => age > Math.max(cycleMs, cycles[i] as number)).length;
  console.log(`older than its cycle, ${cycleMs} ms or what it took: ${old}`);
  console.log(`age of a value when read (p50, p99, max): ${show(ages)}`);
  console.log(`time between two reads of a subject:      ${show(cycles)}`);
  console.log(
    `broker memory at ${warmUpMs} ms ${(residentBytes / 1e6).toFixed(0)} MB, growth ${(growth / 1e6).toFixed(1)} MB`,
  );
}
