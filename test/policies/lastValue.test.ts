import { describe, expect, test } from 'vitest';
import type { Message } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ask, numberOf, padding, publication } from './slowSubscriber.js';

// Invariants 18 and 20 of docs/INVARIANTS.md.

/** With `padding` more than the kernel's buffers hold, and many times `max_pending`. */
const subjects = Array.from({ length: 500 }, (_, i) => `md.${i}`);
/** What is published while the slow one does not read. */
const busy = subjects.filter((_, i) => i % 50 === 7);
const rounds = 4;

/** Fills every subject with number 0. */
async function fill(port: number): Promise<void> {
  const publisher = await RawClient.connect(port);
  for (let i = 0; i < subjects.length; i += 20)
    await publisher.exchange(
      subjects
        .slice(i, i + 20)
        .map((subject) => publication(subject, `0 ${padding}`))
        .join(''),
    );
}

/** Reads messages, and answers PINGs, until there are enough. */
async function read(client: RawClient, enough: (message: Message) => boolean): Promise<Message[]> {
  const messages: Message[] = [];
  for (;;) {
    const frame = await client.next();
    if (frame.op === 'PING') client.send('PONG\r\n');
    if (frame.op !== 'MSG') continue;
    messages.push(frame);
    if (enough(frame)) return messages;
  }
}

/** Becomes true with the last of so many different subjects for which `counts` holds. */
function allOf(count: number, counts: (message: Message) => boolean): (message: Message) => boolean {
  const seen = new Set<string>();
  return (message) => (counts(message) ? seen.add(message.subject) : seen).size === count;
}

function bySubject(messages: Message[]): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const message of messages)
    numbers.set(message.subject, [...(numbers.get(message.subject) ?? []), numberOf(message)]);
  return numbers;
}

const wishes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'no policy': {},
  block: { policy: 'block', maxMessages: 100 },
  'drop-old': { policy: 'drop-old', maxMessages: 2_000, maxBytes: 100_000_000 },
  'drop-new': { policy: 'drop-new', maxMessages: 2_000, maxBytes: 100_000_000 },
  disconnect: { policy: 'disconnect', maxMessages: 2_000, maxBytes: 100_000_000 },
  conflate: { policy: 'conflate' },
  lingering: { lingerUs: 2_000 },
};

describe.each([1, 4])('%i shards', (shards) => {
  const args = ['--last-value', 'md.>', '--write-deadline', '60s'];
  const server = useBroker({ shards, args, config: { max_pending: 2 * 1024 * 1024 } });

  test.each(Object.entries(wishes))('an image waits for who is slow: %s', async (name, { lingerUs, ...policy }) => {
    const { port } = server;
    await fill(port);
    const [publisher, reader, slow] = await Promise.all([1, 2, 3].map(() => RawClient.connect(port)));
    if (lingerUs !== undefined) await ask(slow!, { lingerUs });
    for (const client of [slow!, reader!]) {
      await ask(client, { subject: 'md.*', ...policy, last: true });
      if (client === slow) slow.socket.pause();
      client.send('SUB md.* 1\r\n');
    }
    // who keeps up has it all, whatever the slow one does
    const image = await read(
      reader!,
      allOf(subjects.length, () => true),
    );
    expect(image).toHaveLength(subjects.length);
    for (let round = 1; round < rounds; round++)
      await publisher!.exchange(busy.map((subject) => publication(subject, `${round} `)).join(''));
    slow!.socket.resume();
    const ends = [allOf(subjects.length, () => true), allOf(busy.length, (message) => numberOf(message) === rounds)];
    await publisher!.exchange(busy.map((subject) => publication(subject, `${rounds} `)).join(''));
    const got = bySubject(await read(slow!, (message) => ends.map((end) => end(message)).every(Boolean)));
    for (const [subject, numbers] of got) {
      const last = busy.includes(subject) ? rounds : 0;
      expect(numbers.at(-1), subject).toBe(last);
      if (name === 'conflate') expect(numbers, subject).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      else expect(numbers, subject).toEqual(numbers.map((_, i) => last - numbers.length + 1 + i));
    }
  });

  test('who reads gets its image whole, however many are unread', async () => {
    const { port } = server;
    await fill(port);
    const unread = await Promise.all(
      Array.from({ length: shards * 10 }, () => RawClient.connect(port, { shardcast: { last: true } })),
    );
    for (const client of unread) {
      client.socket.pause();
      client.send(Array.from({ length: 6 }, (_, i) => `SUB md.* ${i}\r\n`).join(''));
    }
    const readers = await Promise.all(
      Array.from({ length: shards }, () => RawClient.connect(port, { shardcast: { last: true } })),
    );
    const images = await Promise.all(readers.map((reader) => reader.exchange('SUB md.* 1\r\n')));
    for (const image of images) expect(image.map((line) => line.split(' ')[1]).sort()).toEqual([...subjects].sort());
    for (const client of unread) client.close();
  });

  test('an image that is asked for and wanted no more ends, and nothing of it comes afterwards', async () => {
    const { port } = server;
    await fill(port);
    const client = await RawClient.connect(port, { shardcast: { last: true } });
    client.send('SUB md.* 1\r\n');
    await client.messages(1);
    await client.exchange('UNSUB 1\r\n');
    const publisher = await RawClient.connect(port);
    await publisher.exchange(publication('md.7', '1'));
    expect(await client.exchange()).toEqual([]);
    // one with a bound ends by itself
    client.send('SUB md.* 2\r\nUNSUB 2 3\r\n');
    expect(await client.messages(3)).toHaveLength(3);
    expect(await client.exchange()).toEqual([]);
  });
});
