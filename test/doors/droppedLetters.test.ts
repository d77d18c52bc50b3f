import { once } from 'node:events';
import net from 'node:net';
import { type Broker, codecs } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { inProcess } from '../client/broker.js';
import type { Message } from '../harness/frames.js';
import { JsonClient } from '../harness/jsonClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { ask, padding, request } from '../policies/slowSubscriber.js';

// Invariant 23 of docs/INVARIANTS.md: what a policy drops becomes a dead letter where its subscription has named a subject.

interface Letter {
  payload: string;
  headers: Record<string, string>;
  key?: string;
}

/** Takes letters until there is none for a number that was lost, and says which came. */
async function lettersOf(reader: JsonClient, count: number): Promise<Letter[]> {
  const letters: Letter[] = [];
  while (letters.length < count) letters.push(...(await reader.take(1)).map((line) => JSON.parse(line) as Letter));
  return letters;
}

const numberOf = (payload: string) => Number(payload.split(' ')[0]);

describe.each(shardCounts)('what policies drop, %i shards', (shards) => {
  const server = useBroker({ shards, args: ['--jsonl-port', '0'] });
  let topics = 0;

  async function reader(topic: string): Promise<JsonClient> {
    const one = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    one.lines.unshift(...(await one.exchange({ command: 'FORMAT', format: 'json' }, { command: 'SUB', topic })));
    return one;
  }

  /** Publishes numbered messages, of different subjects, a few at a time, so that nobody is behind but who does not read. */
  async function flood(topic: string, count: number): Promise<void> {
    const publisher = await RawClient.connect(server.port);
    for (let i = 0; i < count; i += 20) {
      let all = '';
      for (let j = i; j < Math.min(count, i + 20); j++) {
        const text = `${j} ${padding}`;
        all += `PUB ${topic}.${j % 7} ${text.length}\r\n${text}\r\n`;
      }
      expect(await publisher.exchange(all)).toEqual([]);
    }
    publisher.close();
  }

  test.each([
    ['drop-new', {}],
    ['drop-old', {}],
    ['conflate', { maxMessages: 3 }],
    ['disconnect', { maxDrops: 1_000_000 }],
  ])('%s: each message is delivered, replaced, or a dead letter that says why, once', async (policy, more) => {
    const topic = `flood${topics++}`;
    const [letters, slow] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    await letters.exchange(`SUB ${topic}dead 1\r\n`);
    await ask(slow, { subject: `${topic}.*`, policy, maxMessages: 20, deadLetter: `${topic}dead`, ...more });
    await slow.exchange(`SUB ${topic}.* 1\r\n`);
    slow.socket.pause();
    const had: number[] = [];
    const came: Message[] = [];
    slow.onFrame = (frame) => {
      if (frame.op === 'MSG') had.push(numberOf(frame.payload.toString()));
      // who conflates is asked how far it has read
      else if (frame.op === 'PING') slow.send('PONG\r\n');
    };
    letters.onFrame = (frame) => {
      if (frame.op === 'MSG') came.push(frame);
    };
    // less than may wait to become letters
    const count = 600;
    await flood(topic, count);
    slow.socket.resume();
    const lostNow = () => came.map(({ payload }) => numberOf(payload.toString()));
    // at several shards the last of all may come before others, which displace it
    const hasLast = () => [...had, ...lostNow()].includes(count - 1);
    if (policy === 'conflate') await expect.poll(() => hasLast() && came.length > 0, { timeout: 20_000 }).toBe(true);
    else await expect.poll(() => had.length + came.length, { timeout: 20_000 }).toBe(count);
    const lost = lostNow();
    const all = [...had, ...lost].sort((a, b) => a - b);
    expect(lost.length).toBeGreaterThan(0);
    expect(new Set(all).size).toBe(all.length);
    if (policy !== 'conflate') expect(all).toEqual(Array.from({ length: count }, (_, i) => i));
    for (const { payload, headers } of came) {
      const text = headers!.toString();
      const [, subject] = /Shardcast-Dead-Subject: (.*)\r\n/.exec(text)!;
      expect(text).toContain(`NATS/1.0\r\nShardcast-Dead-Reason: ${policy}\r\n`);
      expect(subject).toBe(`${topic}.${numberOf(payload.toString()) % 7}`);
      expect(text).toMatch(/Shardcast-Dead-Dropped: [1-9]/);
      expect(text).not.toContain('Shardcast-Dead-Deliveries');
    }
  });

  test('a dead letter that is dropped is no letter again, though its subscription has named where it goes', async () => {
    const topic = `loop${topics++}`;
    const [letters, slow] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    await letters.exchange(`SUB ${topic}.dead 1\r\n`);
    // what it loses comes to itself, and is lost once more
    await ask(slow, { subject: `${topic}.>`, policy: 'drop-new', maxMessages: 1, deadLetter: `${topic}.dead` });
    await slow.exchange(`SUB ${topic}.> 1\r\n`);
    slow.socket.pause();
    const had = new Set<number>();
    const came: number[] = [];
    slow.onFrame = (frame) => {
      if (frame.op === 'MSG' && frame.subject !== `${topic}.dead`) had.add(numberOf(frame.payload.toString()));
    };
    letters.onFrame = (frame) => {
      if (frame.op === 'MSG') came.push(numberOf(frame.payload.toString()));
    };
    const count = 500;
    await flood(topic, count);
    await expect.poll(() => came.length).toBeGreaterThan(count / 4);
    slow.socket.resume();
    await expect.poll(() => had.size + came.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
    await flood(`${topic}x`, 100);
    expect(new Set(came).size).toBe(came.length);
    expect(had.size + came.length).toBe(count);
  });

  test('JSON lines: of a policy, and beside a group it is the group that is named', async () => {
    const topic = `lines${topics++}`;
    const letters = await reader(`${topic}dead`);
    const slow = net.connect(server.broker.doorPort('jsonl'), '127.0.0.1');
    const policy = { policy: 'drop-new', maxMessages: 5, deadLetter: `${topic}dead`, notice: false };
    slow.write(`${JSON.stringify({ command: 'SUB', topic: `${topic}.*`, group: 'g', id: 1, ...policy })}\n`);
    const [answer] = (await once(slow, 'data')) as [Buffer];
    expect(answer.toString()).toBe('{"ok":true,"id":1}\n');
    slow.pause();
    await flood(topic, 600);
    const [first] = await lettersOf(letters, 1);
    expect(first!.headers).toMatchObject({ 'Shardcast-Dead-Reason': 'drop-new', 'Shardcast-Dead-Group': 'g' });
    slow.destroy();
  });

  test.each<[Record<string, unknown>, string]>([
    [{ policy: 'block', deadLetter: 'x' }, 'block drops nothing'],
    [{ policy: 'drop-old', deadLetter: '$JS.API.INFO' }, 'deadLetter must not be a subject of the broker itself'],
    [{ policy: 'drop-old', deadLetter: '_R_.x' }, 'deadLetter must not be a subject of the broker itself'],
    [{ policy: 'drop-old', deadLetter: 'a.*' }, 'deadLetter must not have the wildcards'],
    [{ deadLetter: 'x' }, 'deadLetter is for members that acknowledge: give a prefetch, or a policy that drops'],
  ])('%j is refused on NATS and JSON lines', async (fields, why) => {
    const nats = await RawClient.connect(server.port);
    expect(await request(nats, { subject: 'a', ...fields })).toContain(`{"error":"${why}`);
    const json = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    expect((await json.exchange({ command: 'SUB', topic: 'a', ...fields }))[0]).toContain(`{"error":"${why}`);
  });
});

describe.each([1, 2])('in process, %i shards', (shards) => {
  async function letterReader(broker: Broker, subject: string) {
    const came: { text: string; reason: string | undefined; of: string | undefined }[] = [];
    broker.topic(subject, { codec: codecs.utf8 }).subscribe((message) => {
      const header = (name: string) => message.headers[name] as string | undefined;
      const reason = header('Shardcast-Dead-Reason');
      came.push({ text: message.value, reason, of: header('Shardcast-Dead-Subject') });
    });
    return came;
  }

  test.each(['drop-new', 'drop-old', 'disconnect'] as const)('%s', async (policy) => {
    const broker = await inProcess({ listen: false, shards });
    const came = await letterReader(broker, 'dead');
    const topic = broker.topic('a', { codec: codecs.utf8 });
    const maxDrops = policy === 'disconnect' ? { maxDrops: 1000 } : {};
    const slow = topic.subscribe({ policy, bufferCount: 10, deadLetter: 'dead', ...maxDrops });
    for (let i = 0; i < 50; i++) await topic.publish(`${i}`);
    await expect.poll(() => came.length).toBe(40);
    const lost = came.map(({ text }) => Number(text)).sort((a, b) => a - b);
    const first = policy === 'drop-old' ? 0 : 10;
    expect(lost).toEqual(Array.from({ length: 40 }, (_, i) => i + first));
    expect(came.every(({ reason, of }) => reason === policy && of === 'a')).toBe(true);
    expect(slow.dropped).toBe(40);
    slow.unsubscribe();
  });

  test('conflate: what is replaced is no letter, what its bound displaces is', async () => {
    const broker = await inProcess({ listen: false, shards });
    const came = await letterReader(broker, 'dead');
    const topic = broker.topic('a.*', { codec: codecs.utf8 });
    topic.subscribe({ policy: 'conflate', bufferCount: 2, deadLetter: 'dead' });
    for (const [subject, value] of ['x0', 'x1', 'y2', 'z3', 'y4', 'x5'].map((text) => [text[0], text[1]]))
      await topic.publish(value as string, { subject: `a.${subject}` });
    await expect.poll(() => came.map(({ text }) => text).join()).toBe('1,4');
  });

  test('maxDeliver and terminate of a group, and what is wrong', async () => {
    const broker = await inProcess({ listen: false, shards });
    const came = await letterReader(broker, 'dead');
    const topic = broker.topic('a', { codec: codecs.utf8 });
    const counts: string[] = [];
    topic.subscribe(
      (message) => {
        counts.push(`${message.value} ${message.deliveries}`);
        if (message.value === 'bad') message.terminate();
        else message.nack();
      },
      { group: 'g', prefetch: 2, maxDeliver: 3, deadLetter: 'dead' },
    );
    await topic.publish('bad');
    await topic.publish('hard');
    await expect
      .poll(() => came.map(({ text, reason }) => `${text} ${reason}`).sort())
      .toEqual(['bad terminated', 'hard max-deliver']);
    expect(counts.sort()).toEqual(['bad 1', 'hard 1', 'hard 2', 'hard 3']);
    const subscribe = (options: object) => () => topic.subscribe(() => {}, options);
    expect(subscribe({ deadLetter: 'dead' })).toThrow('deadLetter is for members with a prefetch, and for policies');
    expect(subscribe({ maxDeliver: 1 })).toThrow('maxDeliver is for members with a prefetch');
    expect(subscribe({ group: 'g', prefetch: 1, maxDeliver: 0 })).toThrow('maxDeliver must be a whole number');
    expect(subscribe({ group: 'g', prefetch: 1, deadLetter: '$SYS.x' })).toThrow('deadLetter must not be a subject of');
    expect(subscribe({ policy: 'drop-old', deadLetter: 'a..b' })).toThrow('deadLetter must be tokens');
    expect(subscribe({ durable: 'd', deadLetter: 'x' })).toThrow('deadLetter is not for what reads a stream');
  });

  test('without a subject what came as often as it may is gone; what its taker went with comes to nobody else', async () => {
    const broker = await inProcess({ listen: false, shards });
    const came = await letterReader(broker, 'dead');
    const topic = broker.topic('a', { codec: codecs.utf8 });
    const had: string[] = [];
    const member = (options: object) =>
      topic.subscribe((message) => void had.push(`${message.value} ${message.deliveries}`), {
        group: 'g',
        prefetch: 1,
        maxDeliver: 1,
        ...options,
      });
    const first = member({});
    await topic.publish('0');
    await expect.poll(() => had.length).toBe(1);
    first.unsubscribe();
    const second = member({ deadLetter: 'dead' });
    await expect.poll(() => came.map(({ text }) => text)).toEqual(['0']);
    await topic.publish('1');
    await expect.poll(() => had).toEqual(['0 1', '1 1']);
    second.unsubscribe();
  });
});
