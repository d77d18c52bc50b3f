import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { selectTargets, type Target } from '../compare/targets.js';
import { median } from '../median.js';
import { reportMs, type UnevenReport, type UnevenRole } from './unevenRole.js';

const processFile = fileURLToPath(new URL('./unevenProcess.js', import.meta.url));
const payloadBytes = 1_024;
const messageBytes = `MSG uneven 1 ${payloadBytes}\r\n`.length + payloadBytes + 2;

/** A client of the broker in a process of its own, with what it has reported. */
class UnevenClient {
  readonly #child: ChildProcess;
  readonly reports: { atMs: number; bytes: number }[] = [];
  endedMs = 0;

  private constructor(role: UnevenRole) {
    this.#child = fork(processFile, [JSON.stringify(role)]);
    this.#child.on('message', (report: UnevenReport) => {
      if ('bytes' in report) this.reports.push(report);
      else if ('ended' in report) this.endedMs ||= report.atMs;
    });
  }

  static async open(role: Omit<UnevenRole, 'payloadBytes'>): Promise<UnevenClient> {
    const client = new UnevenClient({ payloadBytes, ...role });
    await once(client.#child, 'message');
    return client;
  }

  get bytes(): number {
    return this.reports.at(-1)?.bytes ?? 0;
  }

  start(): void {
    this.#child.send('start');
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  /** Bytes read in each interval of a report from one moment on. */
  ratesFrom(fromMs: number): number[] {
    const after = this.reports.filter(({ atMs }) => atMs >= fromMs);
    return after.slice(1).map(({ bytes, atMs }, i) => ((bytes - after[i]!.bytes) * reportMs) / (atMs - after[i]!.atMs));
  }
}

/** Ten equal readers of everything that one publisher has: how many get it all, and how fast. */
async function tenEqual(target: Target): Promise<string> {
  const messages = 240_000;
  return withBroker(target, async (port) => {
    const readers = await Promise.all(
      Array.from({ length: 10 }, () => UnevenClient.open({ port, messages, role: 'reader' })),
    );
    const publisher = await UnevenClient.open({ port, messages, role: 'publisher' });
    const startMs = performance.timeOrigin + performance.now();
    publisher.start();
    const whole = messages * messageBytes;
    const isDone = (reader: UnevenClient): boolean => reader.bytes >= whole || reader.endedMs > 0;
    for (let i = 0; i < 600 && !readers.every(isDone); i++) await sleep(100);
    const complete = readers.filter(({ bytes }) => bytes >= whole);
    const lastMs = Math.max(...complete.map(({ reports }) => reports.find(({ bytes }) => bytes >= whole)!.atMs));
    const rate = (messages * complete.length) / (lastMs - startMs);
    for (const client of [...readers, publisher]) client.close();
    return `${complete.length} of 10 got everything, ${rate.toFixed(0)} thousand deliveries a second`;
  });
}

/** What one that is slow costs one that is not: see `besideUneven`. */
interface Beside {
  readonly name: string;
  readonly role: (fastBytesPerSecond: number) => Partial<UnevenRole> | null;
}

const besides: readonly Beside[] = [
  { name: 'nobody', role: () => null },
  { name: 'a steady quarter', role: (fast) => ({ bytesPerSecond: fast / 4 }) },
  { name: 'one that stops', role: () => ({ stopsAfterMs: 2_000 }) },
];

/** One reader at full speed for a while, alone and beside one that is not. */
async function besideUneven(target: Target, seconds: number): Promise<string[]> {
  const said: string[] = [];
  let alone = 0;
  for (const { name, role } of besides) {
    const line = await withBroker(target, async (port) => {
      const endless = Number.MAX_SAFE_INTEGER;
      const fast = await UnevenClient.open({ port, messages: endless, role: 'reader' });
      const slowRole = role(alone);
      const slow = slowRole && (await UnevenClient.open({ port, messages: endless, role: 'reader', ...slowRole }));
      const publisher = await UnevenClient.open({ port, messages: endless, role: 'publisher' });
      publisher.start();
      const startMs = performance.timeOrigin + performance.now();
      await sleep(seconds * 1000);
      const bytesPerSecond = fast.bytes / seconds;
      if (slow === null) alone = bytesPerSecond;
      const rates = fast.ratesFrom(startMs + 500);
      const usual = median(rates);
      const lostMs = rates.reduce((sum, rate) => sum + Math.max(0, 1 - rate / usual) * reportMs, 0);
      const ended = slow?.endedMs ? `, it was ended after ${((slow.endedMs - startMs) / 1000).toFixed(1)} s` : '';
      for (const client of [fast, slow, publisher]) client?.close();
      return `beside ${name.padEnd(16)} ${(bytesPerSecond / 1e6).toFixed(0).padStart(5)} MB/s (${(bytesPerSecond / alone).toFixed(2)}), below its usual rate for ${(lostMs / 1000).toFixed(2)} s in all${ended}`;
    });
    said.push(line);
  }
  return said;
}

async function withBroker<T>(target: Target, work: (port: number) => Promise<T>): Promise<T> {
  const broker = await target.start(['--shards', '1']);
  try {
    return await work(broker.endpoint.port);
  } finally {
    await broker.stop();
  }
}

/** Readers of uneven speed, beside nats-server where there is one: docs/decisions/0020. */
export async function uneven(rounds: number, seconds: number): Promise<void> {
  for (const target of selectTargets(['shardcast', 'nats-server'], []).filter(
    (target) => target.unavailable() === null,
  )) {
    for (let round = 0; round < rounds; round++)
      console.log(`${target.name}: 1 -> 10 of 1 KB: ${await tenEqual(target)}`);
    for (const line of await besideUneven(target, seconds)) console.log(`${target.name}: ${line}`);
  }
}
