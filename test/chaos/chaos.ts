import { fail } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamManager, jetstream, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { randomFrom } from '../sim/random.js';
import { Churn } from './churn.js';
import { Ledger } from './ledger.js';
import { Life } from './life.js';
import { isRefusal, Publisher } from './publishers.js';
import { SmallDisk } from './smallDisk.js';
import { Worker, workKinds } from './worker.js';

export interface ChaosOptions {
  /** How long brokers are started and ended; the check at the end comes on top. */
  readonly seconds: number;
  /** What is done, and when brokers end, follows from it, as far as the machine lets it. */
  readonly seed: number;
  /** Whether data lies on a disk of its own, which gets full now and then; where that is allowed. */
  readonly ownDisk?: boolean;
  /** Called after each life. */
  readonly onLife?: (figures: ChaosFigures) => void;
}

export interface ChaosFigures {
  lives: number;
  kills: number;
  /** Of these, of brokers that had just been started. */
  killedStarts: number;
  /** Lives whose disk took no more from some point on. */
  brokenDisks: number;
  /** Of these, starts that ended by themselves, with what the disk said. */
  failedStarts: number;
  /** Lives whose disk was full from some point on. */
  fullDisks: number;
  acknowledged: number;
  /** Changes of streams that were answered. */
  changes: number;
  /** Acknowledgements of durable consumers that were confirmed. */
  confirmed: number;
}

const shardCounts = [1, 2, 4];
const acknowledgementsMax = 600;
/** A life whose disk takes nothing ends by time. */
const lifeMsMax = 2_000;
/** Only so that a hang ends: the machine may be halted for a while. */
const requestMs = 300_000;
/** What is left of a disk that gets full: less than a file of a journal, or room for some more. */
const leftMibMax = 200;
/** A start that is killed ends within so long: before it listens, or soon after. */
const startMsMax = 600;
const churns = 2;
/** When churning streams come to the disk: whoever is killed has given all of it to the system. */
const syncs = ['always', 'interval:50'];

/**
 * Publishes to streams on disk, changes others and works through more of them while brokers are killed one after the other; whatever was acknowledged has
 * to be there, once, in order and unaltered, after each of them, and what was confirmed to a consumer is done.
 *
 * @throws AssertionError when something is not
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosFigures> {
  const disk = options.ownDisk ? SmallDisk.make() : null;
  const data = disk?.path ?? mkdtempSync(join(tmpdir(), 'shardcast-chaos-data-'));
  try {
    return await new Chaos(data, disk, options).run();
  } finally {
    disk?.remove();
    rmSync(data, { recursive: true, force: true });
  }
}

class Chaos {
  readonly #figures: ChaosFigures = {
    lives: 0,
    kills: 0,
    killedStarts: 0,
    brokenDisks: 0,
    failedStarts: 0,
    fullDisks: 0,
    acknowledged: 0,
    changes: 0,
    confirmed: 0,
  };
  readonly #data: string;
  readonly #disk: SmallDisk | null;
  readonly #options: ChaosOptions;
  readonly #below: (bound: number) => number;
  readonly #ledgers = { official: new Ledger(), raw: new Ledger(), lines: new Ledger(), buffered: new Ledger() };
  readonly #churns: readonly Churn[];
  readonly #workers: readonly Worker[];
  readonly #publishers: Readonly<Record<'one' | 'two' | 'raw' | 'lines' | 'buffered', Publisher>>;
  /** Acknowledgements until the broker is ended. */
  #left = 0;
  #onEnough: () => void = () => {};
  #filling: AbortController | null = null;

  constructor(data: string, disk: SmallDisk | null, options: ChaosOptions) {
    this.#data = data;
    this.#disk = disk;
    this.#options = options;
    this.#below = randomFrom(options.seed);
    this.#churns = Array.from(
      { length: churns },
      (_, i) => new Churn(`churn${i}`, syncs[i % syncs.length] as string, this.#below),
    );
    this.#workers = workKinds.map((kind) => new Worker(kind, this.#below, () => this.#count()));
    const publisher = (name: string, stream: 'official' | 'raw' | 'lines' | 'buffered'): Publisher =>
      new Publisher(name, stream, this.#ledgers[stream], () => this.#count());
    this.#publishers = {
      one: publisher('one', 'official'),
      two: publisher('two', 'official'),
      raw: publisher('three', 'raw'),
      lines: publisher('four', 'lines'),
      buffered: publisher('five', 'buffered'),
    };
  }

  async run(): Promise<ChaosFigures> {
    const endMs = performance.now() + this.#options.seconds * 1000;
    for (;;) {
      const isLast = performance.now() >= endMs;
      // what a start does to the disk is to be done again by the next one
      if (!isLast && this.#figures.lives > 0 && this.#below(3) === 0) await this.#killStart();
      else await this.#live(isLast);
      this.#figures.acknowledged = Object.values(this.#ledgers).reduce(
        (sum, { acknowledged }) => sum + acknowledged,
        0,
      );
      this.#figures.changes = this.#churns.reduce((sum, { done }) => sum + done, 0);
      this.#figures.confirmed = this.#workers.reduce((sum, { confirmed }) => sum + confirmed, 0);
      this.#options.onLife?.(this.#figures);
      if (isLast) return this.#figures;
    }
  }

  /** A life that ends while the broker reads what is there, or when it has. */
  async #killStart(): Promise<void> {
    const life = new Life({ data: this.#data, shards: this.#anyShards(), fileKibMax: null });
    await Promise.race([life.ended, sleep(this.#below(startMsMax))]);
    life.end('SIGKILL');
    const { code, signal } = await life.ended;
    if (signal !== 'SIGKILL') fail(`the broker ended with ${signal ?? code}:\n${life.output}`);
    this.#figures.lives++;
    this.#figures.kills++;
    this.#figures.killedStarts++;
  }

  #anyShards(): number {
    return shardCounts[this.#below(shardCounts.length)] as number;
  }

  /** One life: what is there is looked at, then published and changed until it ends; the last one is looked at as a whole. */
  async #live(isLast: boolean): Promise<void> {
    const isFirst = this.#figures.lives === 0;
    const isBroken = !isFirst && !isLast && this.#below(5) === 0;
    const fills = !isFirst && !isLast && !isBroken && this.#disk !== null && this.#below(5) === 0;
    // before it starts, or while it works
    const fillsFirst = fills && this.#below(2) === 0;
    const fileKibMax = isBroken ? 1 + this.#below(64 * 1024) : null;
    const shards = this.#anyShards();
    if (fillsFirst) this.#fill();
    const life = new Life({ data: this.#data, shards, fileKibMax });
    const ports = await life.listening();
    this.#figures.lives++;
    if (isBroken) this.#figures.brokenDisks++;
    if (fills) this.#figures.fullDisks++;
    if (ports === null) {
      this.#disk?.free();
      const reason = isBroken ? /EFBIG|file too large/ : /ENOSPC|no space left/;
      if (!(isBroken || fills) || !reason.test(life.output)) fail(`the broker did not start:\n${life.output}`);
      this.#figures.failedStarts++;
      return;
    }
    const connection = await connect({ port: ports.nats, reconnect: false, noAsyncTraces: true, timeout: requestMs });
    try {
      const manager = await jetstreamManager(connection as never, { timeout: requestMs });
      if (isFirst) await this.#create(manager);
      await this.#check(manager, isLast);
      if (isLast) for (const worker of this.#workers) await worker.finish(connection, manager);
      if (fills && !fillsFirst) this.#fillSoon();
      if (!isLast) await this.#work(life, ports, connection, manager, isBroken);
    } finally {
      await connection.close();
      life.end(isLast ? 'SIGTERM' : 'SIGKILL');
    }
    const { code } = await life.ended;
    this.#filling?.abort();
    this.#disk?.free();
    if (isLast && code !== 0) fail(`the broker ended with ${code}:\n${life.output}`);
  }

  async #create(manager: JetStreamManager): Promise<void> {
    for (const name of Object.keys(this.#ledgers))
      await manager.streams.add({
        name,
        subjects: [`${name}.*`],
        allow_direct: true,
        metadata: { 'shardcast.sync': name === 'buffered' ? 'never' : 'always' },
      });
    for (const worker of this.#workers) await worker.create(manager);
  }

  async #work(
    life: Life,
    ports: { nats: number; jsonl: number },
    connection: NatsConnection,
    manager: JetStreamManager,
    isBroken: boolean,
  ): Promise<void> {
    this.#left = 1 + this.#below(acknowledgementsMax);
    const enough = new Promise<void>((resolve) => {
      this.#onEnough = resolve;
    });
    const js = jetstream(connection as never, { timeout: requestMs });
    const { one, two, raw, lines, buffered } = this.#publishers;
    const work = [
      one.publishOfficially(js),
      two.publishOfficially(js),
      raw.publishRaw(ports.nats),
      buffered.publishRaw(ports.nats),
      lines.publishLines(ports.jsonl),
      ...this.#churns.map((churn) => churn.run(manager, js, () => this.#count())),
      ...this.#workers.map((worker) => worker.run(connection)),
    ];
    const done = Promise.allSettled(work);
    const isOver = new AbortController();
    await Promise.race([enough, life.ended, sleep(lifeMsMax, undefined, { signal: isOver.signal }).catch(() => {})]);
    isOver.abort();
    // some of the time it is let go in order
    const signal = this.#below(8) === 0 ? 'SIGTERM' : 'SIGKILL';
    life.end(signal);
    if (signal === 'SIGKILL') this.#figures.kills++;
    const end = await life.ended;
    // it may say that its disk is broken; that it ended by itself, or badly, is a mistake of its own
    const isAsItShould = signal === 'SIGKILL' ? end.signal === signal : end.code === 0 || isBroken;
    if (!isAsItShould) fail(`the broker ended with ${end.signal ?? end.code}:\n${life.output}`);
    await connection.close();
    for (const outcome of await done) if (outcome.status === 'rejected' && !isEnd(outcome.reason)) throw outcome.reason;
  }

  async #check(manager: JetStreamManager, isWhole: boolean): Promise<void> {
    for (const [name, ledger] of Object.entries(this.#ledgers)) {
      const first = isWhole ? 1 : ledger.checked + 1;
      ledger.check(await readFrom(manager, name, first), first);
    }
    for (const churn of this.#churns) await churn.check(manager);
    for (const worker of this.#workers) worker.check(await readFrom(manager, worker.stream, 1));
  }

  #fill(): void {
    this.#disk?.fill(this.#below(leftMibMax) * 1024 * 1024);
  }

  #fillSoon(): void {
    this.#filling = new AbortController();
    const { signal } = this.#filling;
    void sleep(this.#below(lifeMsMax / 2), undefined, { signal }).then(
      () => this.#fill(),
      () => {},
    );
  }

  #count(): void {
    if (--this.#left === 0) this.#onEnough();
  }
}

async function readFrom(manager: JetStreamManager, stream: string, first: number): Promise<StoredMsg[]> {
  const found: StoredMsg[] = [];
  for (let seq = first; ; ) {
    const batch: StoredMsg[] = [];
    try {
      for await (const message of await manager.direct.getBatch(stream, { seq, batch: 1000 })) batch.push(message);
    } catch (error) {
      // there is none from there on
      if (!/message not found/i.test((error as Error).message)) throw error;
    }
    if (batch.length === 0) return found;
    found.push(...batch);
    seq = (batch.at(-1) as StoredMsg).seq + 1;
  }
}

/** Whether it is a request that the broker did not live to answer, or its disk to take. */
function isEnd(error: Error): boolean {
  if (isRefusal(error)) return true;
  return /closed|disconnect|timeout|drain|ECONN|EPIPE|socket/i.test(`${error.name} ${error.message}`);
}
