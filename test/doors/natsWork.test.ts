import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { beforeEach, describe, expect, test } from 'vitest';
import { prefetchMessagesMax } from '../../src/base/limits.js';
import { JsonClient } from '../harness/jsonClient.js';
import { client } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

// Invariant 23 of docs/INVARIANTS.md.

/** A member of a group, by the official client: what it has been given, in order. */
class Member {
  readonly connection: NatsConnection;
  readonly subscription: Subscription;
  readonly #iterator: AsyncIterator<Msg>;

  constructor(connection: NatsConnection, subject: string, queue: string, max?: number) {
    this.connection = connection;
    this.subscription = connection.subscribe(subject, { queue, ...(max === undefined ? {} : { max }) });
    this.#iterator = this.subscription[Symbol.asyncIterator]();
  }

  async next(): Promise<Msg> {
    const { value } = await this.#iterator.next();
    return value as Msg;
  }
}

const countOf = ({ reply }: Msg) => Number(reply?.split('.')[3]);

describe.each(shardCounts)('work of NATS clients, %i shards', (shards) => {
  const server = useBroker({ shards, args: ['--jsonl-port', '0'] });
  let group = '';
  let groups = 0;
  beforeEach(() => {
    group = `work${groups++}`;
  });

  async function ask(connection: NatsConnection, wish: Record<string, unknown>): Promise<unknown> {
    const answer = await connection.request('$SHARDCAST.SUB', JSON.stringify(wish));
    return answer.json();
  }

  async function member(more: Record<string, unknown> = {}, max?: number): Promise<Member> {
    const connection = await client(server.port);
    expect(await ask(connection, { subject: group, queue: group, prefetch: 1, ...more })).toEqual({ ok: true });
    const one = new Member(connection, group, group, max);
    await connection.flush();
    return one;
  }

  async function publish(...payloads: string[]): Promise<void> {
    const publisher = await client(server.port);
    for (const payload of payloads) publisher.publish(group, payload);
    await publisher.flush();
  }

  test('a member has so many as it asked for, and more when it says what became of them', async () => {
    const one = await member({ prefetch: 2 });
    await publish('0', '1', '2', '3');
    const [first, second] = [await one.next(), await one.next()];
    const idle = await member({ prefetch: 1 });
    expect((await idle.next()).string()).toBe('2');
    expect(first.reply).toBe('$SHARDCAST.ACK.1.1');
    first.respond('+ACK');
    expect((await one.next()).string()).toBe('3');
    expect(second.respond()).toBe(true);
    await publish('4');
    expect((await one.next()).string()).toBe('4');
  });

  test('what is given up comes again with its count; with a delay it keeps its place; what is terminated does not come', async () => {
    const one = await member();
    await publish('0');
    for (let count = 1; count <= 3; count++) {
      const message = await one.next();
      expect([message.string(), countOf(message)]).toEqual(['0', count]);
      message.respond(count === 1 ? '-NAK' : '-NAK {"delay": 1000000}');
    }
    const last = await one.next();
    last.respond('+WPI');
    last.respond('+TERM no good');
    await publish('1');
    const next = await one.next();
    expect([next.string(), countOf(next)]).toEqual(['1', 1]);
    next.respond('-NAK {"delay": 86400000000000}');
    await publish('2');
    next.respond('+NXT');
    expect((await one.next()).string()).toBe('2');
  });

  test('an answer that asks is answered when it is taken, and that there is no such delivery otherwise', async () => {
    const one = await member();
    await publish('0', '1');
    const message = await one.next();
    const reply = message.reply as string;
    await expect(one.connection.request(reply, 'what is this')).rejects.toThrow();
    expect((await one.connection.request(reply, '+WPI')).string()).toBe('');
    expect((await one.connection.request(reply, '+ACK')).string()).toBe('');
    for (const other of [reply, '$SHARDCAST.ACK.1', '$SHARDCAST.ACK.x.1', '$SHARDCAST.ACK.99999999999999999999.1'])
      await expect(one.connection.request(other, '+ACK')).rejects.toThrow();
    const other = await client(server.port);
    const second = await one.next();
    await expect(other.request(second.reply as string, '+ACK')).rejects.toThrow();
    second.respond('-NAK');
    expect(countOf(await one.next())).toBe(2);
  });

  test('a publisher that awaits an answer is named in a header, and gets it', async () => {
    const one = await member();
    const requester = await client(server.port);
    const raw = await RawClient.connect(server.port);
    const answered = requester.request(group, 'how much', { timeout: 10_000 });
    const message = await one.next();
    one.connection.publish(message.headers?.get('Shardcast-Reply') as string, 'seven');
    expect((await answered).string()).toBe('seven');
    message.respond();
    await raw.exchange(`HPUB ${group} back 18 19\r\nNATS/1.0\r\nA: b\r\n\r\nx\r\n`);
    const second = await one.next();
    expect(second.headers?.get('A')).toBe('b');
    expect(second.headers?.get('Shardcast-Reply')).toBe('back');
    second.respond();
    await raw.exchange(`HPUB ${group} back 3 4\r\nabcx\r\n`);
    expect((await one.next()).string()).toBe('x');
  });

  test('maxDeliver and deadLetter', async () => {
    const dead = await client(server.port);
    const letters = dead.subscribe(`${group}.dead`)[Symbol.asyncIterator]();
    await dead.flush();
    const one = await member({ maxDeliver: 2, deadLetter: `${group}.dead` });
    await publish('0', '1');
    // one comes twice, whichever is first
    for (let times = 0; times < 3; times++) {
      const message = await one.next();
      message.respond(message.string() === '0' ? '-NAK' : '+TERM no ü\r\nse');
    }
    const came = [];
    for (let i = 0; i < 2; i++) {
      const { value } = (await letters.next()) as { value: Msg };
      came.push([
        value.string(),
        value.headers?.get('Shardcast-Dead-Reason'),
        value.headers?.get('Shardcast-Dead-Detail'),
        value.reply,
      ]);
    }
    expect(came.sort()).toEqual([
      ['0', 'max-deliver', '', ''],
      ['1', 'terminated', 'no ü se', ''],
    ]);
  });

  test("without a sign for so long a message is another's, and its number nobody's", async () => {
    const one = await member({ ackWaitMs: 200 });
    await publish('0');
    const message = await one.next();
    const again = await one.next();
    expect(again.string()).toBe('0');
    expect(countOf(again)).toBeGreaterThan(1);
    await expect(one.connection.request(message.reply as string, '+ACK')).rejects.toThrow();
  });

  test('who drains, or has had as many as it wanted, may still say what became of what it has', async () => {
    const one = await member({ prefetch: 3 });
    await publish('0', '1', '2');
    const had = [await one.next(), await one.next(), await one.next()];
    const other = await member({ prefetch: 5 });
    one.subscription.unsubscribe();
    await one.connection.flush();
    for (const message of had.slice(0, 2)) await one.connection.request(message.reply as string, '+ACK');
    await one.connection.request(had[2]!.reply as string, '-NAK');
    expect((await other.next()).string()).toBe('2');
    const limited = await member({ prefetch: 5 }, 1);
    for (let sent = 3; ; sent++) {
      await publish(`${sent}`);
      const [winner] = await Promise.race([limited.next().then(() => ['limited']), other.next().then(() => ['other'])]);
      if (winner === 'limited') break;
    }
    await limited.connection.request('$SHARDCAST.ACK.1.1', '+ACK');
    // what a connection has when it ends is another's at once
    const third = await member({ prefetch: 2 });
    await other.connection.close();
    expect(countOf(await third.next())).toBeGreaterThan(1);
  });

  test('members of all doors share a group; what one gives up another gets, with the count', async () => {
    const nats = await member();
    const json = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    await publish('0');
    const message = await nats.next();
    json.lines.unshift(
      ...(await json.exchange(
        { command: 'FORMAT', format: 'json' },
        { command: 'SUB', topic: group, group, prefetch: 1 },
      )),
    );
    nats.subscription.unsubscribe();
    message.respond('-NAK');
    const again = JSON.parse((await json.take(1))[0]!) as { payload: string; deliveries: number; delivery: number };
    expect([again.payload, again.deliveries]).toEqual(['0', 2]);
    json.send({ command: 'UNSUB', topic: group, group });
    const other = await member();
    const third = await other.next();
    expect([third.string(), countOf(third)]).toEqual(['0', 3]);
  });

  test('it may be asked of a subscription that is there, changed, and taken back', async () => {
    const connection = await client(server.port);
    const one = new Member(connection, group, group);
    await connection.flush();
    await publish('0');
    expect((await one.next()).reply).toBe('');
    const wish = { subject: group, queue: group };
    expect(await ask(connection, { ...wish, prefetch: 1 })).toEqual({ ok: true });
    await publish('1', '2');
    const first = await one.next();
    expect(first.reply).toBe('$SHARDCAST.ACK.1.1');
    expect(await ask(connection, { ...wish, prefetch: 2 })).toEqual({ ok: true });
    const second = await one.next();
    expect([second.string(), second.reply]).toEqual(['2', '$SHARDCAST.ACK.2.1']);
    await connection.request(second.reply as string, '+ACK');
    expect(await ask(connection, wish)).toEqual({ ok: true });
    const again = await one.next();
    expect([again.string(), again.reply]).toEqual(['1', '']);
    await expect(connection.request(first.reply as string, '+ACK')).rejects.toThrow();
  });

  test('nobody sees what is said of deliveries, and no stream takes it', async () => {
    const spy = await RawClient.connect(server.port);
    await spy.exchange('SUB > 1\r\nSUB $SHARDCAST.> 2\r\nSUB $SHARDCAST.ACK.1.1 3\r\n');
    const one = await member();
    await publish('0');
    const message = await one.next();
    await one.connection.request(message.reply as string, '+ACK');
    const seen = await spy.exchange();
    expect(seen.filter((line) => line.includes('ACK'))).toEqual([]);
    expect(seen.some((line) => line.startsWith(`MSG ${group} 1`))).toBe(true);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ prefetch: 0 }, `prefetch must be a whole number from 1 to ${prefetchMessagesMax}`],
    [{ queue: 'q@key' }, 'prefetch is not for a group ordered by key'],
    [{ queue: undefined }, 'prefetch is for members of a group'],
    [{ subject: undefined, queue: undefined }, 'prefetch is for members of a group'],
    [{ policy: 'drop-old' }, 'prefetch and a policy exclude each other'],
    [{ deadLetter: '$JS.API.STREAM.DELETE.ORDERS' }, 'deadLetter must not be a subject of the broker itself'],
    [{ deadLetter: '$SHARDCAST.ACK.1.1' }, 'deadLetter must not be a subject of the broker itself'],
    [{ deadLetter: 'a.>' }, 'deadLetter must not have the wildcards'],
    [{ maxDeliver: 0 }, 'maxDeliver must be a whole number'],
    [{ ackWaitMs: -1 }, 'ackWaitMs must be a whole number'],
    [{ prefetch: undefined, maxDeliver: 1 }, 'maxDeliver is for members that acknowledge'],
  ])('%j is refused', async (more, error) => {
    const connection = await client(server.port);
    expect(await ask(connection, { subject: 'a', queue: 'q', prefetch: 1, ...more })).toEqual({
      error: expect.stringContaining(error) as string,
    });
  });

  test('a sid without a group is refused, there or to come; the text form of JSON lines has no place for it', async () => {
    const raw = await RawClient.connect(server.port);
    await raw.exchange('SUB a 1\r\n');
    const wish = (sid: string) => `{"sid":"${sid}","prefetch":1}`;
    const say = (json: string) => `PUB $SHARDCAST.SUB ${json.length}\r\n${json}\r\n`;
    const refused = "-ERR 'Invalid Wish: prefetch is for members of a group: give a group'";
    expect(await raw.exchange(`${say(wish('1'))}${say(wish('2'))}SUB a 2\r\nSUB a q 2\r\n`)).toEqual([
      refused,
      refused,
    ]);
    expect(await raw.exchange('PUB a 1\r\nx\r\n')).toEqual(['MSG a 1 | x', 'MSG a 2 $SHARDCAST.ACK.1.1 | x']);
    const text = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const payload = '{"subject":"a","queue":"q","prefetch":1}';
    expect(await text.exchange({ command: 'PUB', topic: '$SHARDCAST.SUB', payload })).toEqual([
      expect.stringContaining('in this format no delivery can say'),
    ]);
  });

  test('an answer of any bytes says nothing, and what is too long to be read is at once', async () => {
    const raw = await RawClient.connect(server.port);
    const json = `{"subject":"${group}","queue":"q","prefetch":1}`;
    await raw.exchange(`PUB $SHARDCAST.SUB ${json.length}\r\n${json}\r\nSUB ${group} q 1\r\nPUB ${group} 1\r\nx\r\n`);
    const say = (text: string) => raw.exchange(`PUB $SHARDCAST.ACK.1.1 ${text.length}\r\n${text}\r\n`);
    for (const junk of ['\0', '+', '{}', '+ack']) expect(await say(junk)).toEqual([]);
    raw.send(`PUB $SHARDCAST.ACK.1.1 80000\r\n${'-NAK {"delay":{}}'.repeat(5000).slice(0, 80_000)}\r\n`);
    expect((await raw.messages(1))[0]).toMatchObject({ reply: '$SHARDCAST.ACK.2.2' });
  });
});
