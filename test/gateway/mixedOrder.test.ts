import { describe, expect, test } from 'vitest';
import { inProcess, portOf } from '../client/broker.js';
import type { Frame } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';
import { shardCounts } from '../harness/target.js';

const topics = 40;
const publishers = 3;
const rounds = 8;
const perRound = Number(process.env.SHARDCAST_MIXED_MESSAGES ?? 400);
const headers = 'NATS/1.0\r\nA: b\r\n\r\n';

/** Message `n` of a publisher: most are plain, some have a reply or headers, some are long. */
function publication(publisher: number, n: number): string {
  const subject = `t.${n % 3}.${(n * 7) % topics}`;
  const payload = `${publisher}:${n} `.padEnd(n % 97 === 0 ? 3000 : n % 150, ' ');
  if (n % 53 === 0) return `PUB ${subject} re.ply ${payload.length}\r\n${payload}\r\n`;
  if (n % 71 === 0)
    return `HPUB ${subject} ${headers.length} ${headers.length + payload.length}\r\n${headers}${payload}\r\n`;
  return `PUB ${subject} ${payload.length}\r\n${payload}\r\n`;
}

/** A connection, with what it received, by sid and subject. */
class Subscriber {
  readonly received = new Map<string, string[]>();
  readonly #client: RawClient;
  readonly #pongs: (() => void)[] = [];
  readonly #open: string[] = [];
  #sids = 0;

  constructor(client: RawClient) {
    this.#client = client;
    client.onFrame = (frame) => this.#take(frame);
  }

  static async connect(port: number): Promise<Subscriber> {
    return new Subscriber(await RawClient.connect(port));
  }

  subscribe(subject: string): void {
    const sid = `${++this.#sids}`;
    this.#open.push(sid);
    this.#client.send(`SUB ${subject} ${sid}\r\n`);
  }

  /** Takes the oldest of its subscriptions away. */
  unsubscribe(): void {
    const sid = this.#open.shift();
    if (sid !== undefined) this.#client.send(`UNSUB ${sid}\r\n`);
  }

  send(text: string): void {
    this.#client.send(text);
  }

  /** All that was done before has been, and all that was delivered before has come. */
  done(): Promise<void> {
    this.#client.send('PING\r\n');
    return new Promise((resolve) => this.#pongs.push(resolve));
  }

  #take(frame: Frame): void {
    if (frame.op === 'PONG') this.#pongs.shift()?.();
    if (frame.op !== 'MSG') return;
    const key = `${frame.sid} ${frame.subject}`;
    const messages = this.received.get(key) ?? [];
    if (messages.length === 0) this.received.set(key, messages);
    messages.push(frame.payload.toString('latin1').split(' ', 1)[0]!);
  }
}

/** Subjects that the clients that come and go take in turn: some like others, some with what no other has. */
const wishes = ['t.1.*', 't.*.7', 't.0.14', '>', 't.2.>', 't.0.*', 't.*.*', 't.1.28', 't.2.0'];

// Invariants 4, 6, 12 and 50
describe.each(shardCounts)('%i shards', (shards) => {
  test('whatever connections take, and while they change what they take, messages arrive whole, once and in one order, most by the kernel', async () => {
    const broker = await inProcess({ shards });
    const port = portOf(broker);
    const steady = await Promise.all(Array.from({ length: 2 * shards }, () => Subscriber.connect(port)));
    for (const each of steady) each.subscribe('>');
    const moving = await Promise.all(Array.from({ length: 6 }, () => Subscriber.connect(port)));
    for (const [i, each] of moving.entries())
      for (let k = 0; k < 4; k++) each.subscribe(wishes[(i * 2 + k) % wishes.length]!);
    await Promise.all([...steady, ...moving].map((each) => each.done()));
    const clients = await Promise.all(Array.from({ length: publishers }, () => Subscriber.connect(port)));
    for (let round = 0; round < rounds; round++) {
      for (const [publisher, client] of clients.entries())
        client.send(Array.from({ length: perRound }, (_, i) => publication(publisher, round * perRound + i)).join(''));
      for (const [i, each] of moving.entries()) {
        if ((round + i) % 2 === 0) continue;
        each.unsubscribe();
        each.subscribe(wishes[(round * 5 + i) % wishes.length]!);
      }
      if (round % 2 === 0) await Promise.all(moving.map((each) => each.done()));
    }
    await Promise.all(clients.map((client) => client.done()));
    await Promise.all([...steady, ...moving].map((each) => each.done()));

    const order = new Map([...steady[0]!.received].map(([key, messages]) => [key.slice(2), messages]));
    const total = [...order.values()].reduce((sum, messages) => sum + messages.length, 0);
    expect(total).toBe(publishers * rounds * perRound);
    for (const each of steady) expect(each.received).toEqual(steady[0]!.received);
    for (const messages of order.values()) expectPublished(messages);
    for (const { received } of moving)
      for (const [key, messages] of received) {
        const all = order.get(key.slice(key.indexOf(' ') + 1)) ?? [];
        const from = all.indexOf(messages[0]!);
        expect(messages).toEqual(all.slice(from, from + messages.length));
      }
    const encoded = (await broker.census()).reduce((sum, { kernelEncoded }) => sum + kernelEncoded, 0);
    expect(encoded).toBeGreaterThan((total * Math.max(1, shards - 1)) / 3);
  });
});

/** What each publisher said on a topic, in that order. */
function expectPublished(messages: readonly string[]): void {
  for (let publisher = 0; publisher < publishers; publisher++) {
    const numbers = messages.filter((text) => text.startsWith(`${publisher}:`)).map((text) => Number(text.slice(2)));
    expect(numbers.every((number, i) => i === 0 || number > numbers[i - 1]!)).toBe(true);
  }
}
