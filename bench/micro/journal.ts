import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { latin1Bytes } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { placeOf, Span } from '../../src/base/span.js';
import { DataDirectory } from '../../src/log/dataDirectory.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { systemDisk } from '../../src/log/files.js';
import { journalShape } from '../../src/log/journalShape.js';
import type { Storage } from '../../src/log/storage.js';
import { systemTimers } from '../../src/log/timers.js';

const payloadBytes = 128;
const window = 4096;
const turnMessages = 256;
const keptMessages = 65_536;

/** As many messages as a turn brings of one subject, as they come from a socket. */
function runOf(count: number): MessageView {
  const view = new MessageView();
  const line = `${'x'.repeat(payloadBytes)}\r\n`;
  view.span = new Span(latin1Bytes(line.repeat(count)));
  view.count = count;
  for (let i = 0; i < count; i++) {
    view.starts[i] = i * line.length;
    view.ends[i] = view.starts[i] + payloadBytes;
  }
  return view;
}

/** Whoever publishes with so many in flight, a turn at a time. */
class Publisher {
  readonly #storage: Storage;
  readonly #messages: MessageView;
  readonly #inFlight: number;
  readonly #subject = placeOf(latin1Bytes('orders.new'));
  /** When each turn's messages were stored, and the position behind them. */
  readonly #turns: { atUs: number; position: number }[] = [];
  readonly #latenciesUs: number[] = [];
  #stopped: (() => void) | null = null;
  #due = false;
  #first = 1;

  constructor(storage: Storage, inFlight: number, aTurn: number) {
    this.#storage = storage;
    this.#inFlight = inFlight;
    this.#messages = runOf(aTurn);
    storage.events = {
      onCommitted: () => this.#onCommitted(),
      onFailed: ({ reason }) => {
        throw new Error(reason);
      },
    };
  }

  async run(milliseconds: number): Promise<string[]> {
    this.#publish();
    // until files are used again, and the code is compiled
    await new Promise<void>((resolve) => setTimeout(resolve, milliseconds / 2));
    this.#latenciesUs.length = 0;
    const before = this.#storage.committed;
    const cpu = process.cpuUsage();
    const from = performance.now();
    await new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
    await new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    const { user, system } = process.cpuUsage(cpu);
    const messages = this.#storage.committed - before;
    const seconds = (performance.now() - from) / 1000;
    const sorted = this.#latenciesUs.sort((a, b) => a - b);
    const at = (part: number) => Math.round(sorted[Math.floor(part * sorted.length)]!).toLocaleString('en-US');
    const rate = Math.round(messages / seconds).toLocaleString('en-US');
    return [rate, at(0.5), at(0.99), ((user + system) / messages).toFixed(3)];
  }

  #publish(): void {
    this.#due = false;
    const storage = this.#storage;
    if (this.#stopped !== null || storage.position - storage.committed + this.#messages.count > this.#inFlight) return;
    storage.append(this.#subject, this.#messages, 0, this.#messages.count, Date.now() * 1000);
    // as a stream with a limit does: the journal's files are used again
    this.#removeOld();
    this.#turns.push({ atUs: performance.now() * 1000, position: storage.position });
    this.#soon();
  }

  #removeOld(): void {
    for (; this.#first < this.#storage.nextSequence - keptMessages; this.#first++)
      this.#storage.remove(this.#first, false);
  }

  #soon(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => this.#publish());
  }

  #onCommitted(): void {
    const now = performance.now() * 1000;
    while (this.#turns.length > 0 && this.#turns[0]!.position <= this.#storage.committed)
      this.#latenciesUs.push(now - this.#turns.shift()!.atUs);
    if (this.#stopped === null) this.#soon();
    else if (this.#turns.length === 0) this.#stopped();
  }
}

/** Records that are on disk before anybody is told, in the directory for temporary files. */
export async function journalTable(time: number): Promise<string[][]> {
  const path = mkdtempSync(`${tmpdir()}/shardcast-bench-`);
  const directory = await DataDirectory.open({
    disk: systemDisk,
    path,
    journalPath: null,
    shards: 1,
    shape: journalShape,
    shardOf: () => 0,
    randomBytes,
  });
  const storages = new DurableStorages({
    disk: systemDisk,
    timers: systemTimers,
    place: directory.place,
    shard: 0,
    buffered: false,
    random: () => Number.parseInt(randomBytes(6).toString('hex'), 16),
    owns: () => true,
    onUnsaved: (reason) => {
      throw new Error(reason);
    },
    onDamage: (damage) => {
      throw new Error(`${damage.file} is damaged`);
    },
  });
  await storages.open(() => null);
  const rows = [['journal: 128 B, on disk', 'messages/s', 'p50 us', 'p99 us', 'CPU us', '']];
  for (const [name, inFlight, aTurn] of [
    ['4,096 in flight, 256 a turn', window, turnMessages],
    ['4,096 in flight, 32 a turn', window, 32],
    ['one in flight', 1, 1],
  ] as const) {
    const storage = await storages.create(name, '', 1);
    rows.push([name, ...(await new Publisher(storage, inFlight, aTurn).run(time)), '']);
    await storages.destroy(name);
  }
  await storages.close();
  directory.close();
  rmSync(path, { recursive: true });
  return rows;
}
