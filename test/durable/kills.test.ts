import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type JetStreamManager, jetstream, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { randomFrom } from '../sim/random.js';
import { Churn } from './churn.js';
import { Ledger } from './ledger.js';
import { publishedText } from './publishedText.js';

// Invariants 41, 42 and 44 of docs/INVARIANTS.md.

const kills = Number(process.env.KILLS ?? 3);
const seed = Number(process.env.KILL_SEED ?? 1);

const below = randomFrom(seed);
const shardCounts = [1, 2, 4, 2, 1, 4];
/** Messages of a publisher that are not acknowledged yet. */
const windowMax = 64;

/** What survives the broker: the streams that are published to, and what is known of them. */
const streams = ['official', 'raw'] as const;
const ledgers = { official: new Ledger(), raw: new Ledger() };
const churn = new Churn(below);
const nextIndex = new Map<string, number>();

function nextOf(publisher: string): string {
  const index = nextIndex.get(publisher) ?? 0;
  nextIndex.set(publisher, index + 1);
  return publishedText(publisher, index);
}

/** A broker that is killed once it has acknowledged so much. */
class Life {
  readonly #broker: Broker;
  #left: number;

  constructor(broker: Broker, acknowledgements: number) {
    this.#broker = broker;
    this.#left = acknowledgements;
  }

  onAcknowledged(): void {
    if (--this.#left === 0) this.#broker.signal('SIGKILL');
  }

  /** Publishes by the official client, as fast as a window lets it. */
  async publishOfficially(publisher: string): Promise<void> {
    const js = jetstream((await client(this.#broker.port)) as never, { timeout: 60_000 });
    const one = async () => {
      for (;;) {
        const text = nextOf(publisher);
        const { seq } = await js.publish(`official.${publisher}`, text, { retries: 0 } as never);
        ledgers.official.acknowledge(seq, text);
        this.onAcknowledged();
      }
    };
    // one after the other would never have two of them in one commit
    await Promise.all(Array.from({ length: 8 }, one));
  }

  /** Publishes `PUB`s with replies of their own, many in a segment. */
  async publishRaw(publisher: string): Promise<void> {
    const raw = await RawClient.connect(this.#broker.port);
    const waiting = new Map<string, string>();
    let replies = 0;
    const fill = () => {
      let out = '';
      while (waiting.size < windowMax) {
        const text = nextOf(publisher);
        const reply = `_INBOX.${publisher}.${replies++}`;
        waiting.set(reply, text);
        out += `PUB raw.${publisher} ${reply} ${text.length}\r\n${text}\r\n`;
      }
      raw.send(out);
    };
    raw.onFrame = (frame) => {
      if (frame.op !== 'MSG') return;
      const ack = JSON.parse(frame.payload.toString()) as { seq: number; error?: unknown };
      expect(ack.error).toBeUndefined();
      ledgers.raw.acknowledge(ack.seq, waiting.get(frame.subject) as string);
      waiting.delete(frame.subject);
      this.onAcknowledged();
      if (waiting.size < windowMax / 2) fill();
    };
    raw.send(`SUB _INBOX.${publisher}.* 1\r\n`);
    fill();
    await raw.waitClosed();
  }

  async change(): Promise<void> {
    const connection = await client(this.#broker.port);
    const options = { timeout: 60_000 };
    const manager = await jetstreamManager(connection as never, options);
    await churn.run(manager, jetstream(connection as never, options), () => this.onAcknowledged());
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

async function check(manager: JetStreamManager, whole: boolean): Promise<void> {
  for (const name of streams) {
    const first = whole ? 1 : ledgers[name].checked + 1;
    ledgers[name].check(await readFrom(manager, name, first), first);
  }
  await churn.check(manager);
}

test(`what was acknowledged is there after ${kills} kills, whatever the number of shards, once, in order, unaltered`, async () => {
  const data = mkdtempSync(`${tmpdir()}/shardcast-kills-`);
  try {
    for (let kill = 0; kill <= kills; kill++) {
      const shards = shardCounts[kill % shardCounts.length] as number;
      const broker = await Broker.start({ shards, args: ['--data', data] });
      const connection = await client(broker.port);
      const manager = await jetstreamManager(connection as never);
      if (kill === 0)
        for (const name of streams) await manager.streams.add({ name, subjects: [`${name}.*`], allow_direct: true });
      await check(manager, kill === kills);
      if (kill === kills) {
        expect((await broker.stop()).code).toBe(0);
        break;
      }
      const life = new Life(broker, 1 + below(600));
      const publishers = [
        life.publishOfficially('one'),
        life.publishOfficially('two'),
        life.publishRaw('three'),
        life.change(),
      ];
      const ended = Promise.allSettled(publishers);
      expect((await broker.exited).signal).toBe('SIGKILL');
      await broker.kill();
      for (const outcome of await ended)
        if (outcome.status === 'rejected' && isOurs(outcome.reason)) throw outcome.reason;
      await connection.close();
    }
    if (process.env.KILLS !== undefined)
      console.log(`${ledgers.official.acknowledged + ledgers.raw.acknowledged} messages, ${churn.done} changes`);
  } finally {
    rmSync(data, { recursive: true });
  }
}, 3_600_000);

/** Whether it is something else than a request that the broker did not live to answer. */
function isOurs(error: Error): boolean {
  return !/closed|disconnect|timeout|drain|ECONN|EPIPE|socket/i.test(`${error.name} ${error.message}`);
}
