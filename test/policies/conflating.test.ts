import { describe, expect, test } from 'vitest';
import { pacedBytesMax } from '../../src/base/limits.js';
import type { Message } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { ask, noticedLoss, padding, publication, type Scene, setScene } from './slowSubscriber.js';

// Invariants 13 and 22 of docs/INVARIANTS.md.

const subjects = 20;
const rounds = 100;
const roundOf = (message: Message): number => Number(message.payload.toString('latin1').split(' ')[0]);

const keyOf = (message: Message): string => /k\d+/.exec(`${message.headers}`)?.[0] ?? '';

function keyed(subject: string, which: number, body: string): string {
  const headers = `NATS/1.0\r\nA: b\r\nshardcast-key:  k${which} \r\n\r\n`;
  return `HPUB ${subject} ${headers.length} ${headers.length + body.length}\r\n${headers}${body}\r\n`;
}

/** Publishes a round of values, one for each subject or key, and checks that the reader gets them. */
async function publishRounds(scene: Scene, publicationOf: (which: number, body: string) => string): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    let bytes = '';
    for (let which = 0; which < subjects; which++) bytes += publicationOf(which, `${round} ${padding}`);
    await scene.publisher.exchange(bytes);
    expect((await scene.reader.messages(subjects)).map(roundOf)).toEqual(Array(subjects).fill(round));
  }
}

/** Reads on until the last value of everything has come. */
async function readOn({ slow }: Scene, nameOf: (message: Message) => string): Promise<Map<string, number[]>> {
  const values = new Map<string, number[]>();
  slow.socket.resume();
  for (let last = 0; last < subjects; ) {
    const [message] = await slow.messages(1);
    if (noticedLoss(message!) !== undefined) throw new Error('what a newer value replaced is not lost');
    const seen = values.get(nameOf(message!)) ?? [];
    seen.push(roundOf(message!));
    values.set(nameOf(message!), seen);
    if (seen.at(-1) === rounds - 1) last++;
  }
  return values;
}

/** Each has its values in order, without any twice, the last one last; but for what may be unread at a time they are the last ones. */
function expectConflated(values: Map<string, number[]>): void {
  expect(values.size).toBe(subjects);
  for (const seen of values.values()) expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
  const total = [...values.values()].reduce((sum, seen) => sum + seen.length, 0);
  expect(total).toBeLessThanOrEqual(subjects + Math.ceil(pacedBytesMax / padding.length));
}

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards, args: ['--write-deadline', '60s'] });

  test('by subject: a slow subscriber gets the last value of each, a fast one everything', async () => {
    const scene = await setScene(server.port, 'md.*', { policy: 'conflate', notice: true });
    await publishRounds(scene, (which, body) => publication(`md.${which}`, body));
    expectConflated(await readOn(scene, ({ subject }) => subject));
  });

  test('by key: within a subject too', async () => {
    const scene = await setScene(server.port, 'quotes', { policy: 'conflate', by: 'key', notice: true });
    await publishRounds(scene, (which, body) => keyed('quotes', which, body));
    expectConflated(await readOn(scene, keyOf));
  });

  test('a bound on keys loses the ones that have waited longest, and says so', async () => {
    const scene = await setScene(server.port, 'many', { policy: 'conflate', by: 'key', maxMessages: 5, notice: true });
    await publishRounds(scene, (which, body) => keyed('many', which, body));
    scene.slow.socket.resume();
    const isNewest = (message: Message): boolean =>
      keyOf(message) === `k${subjects - 1}` && roundOf(message) === rounds - 1;
    const messages = await scene.slow.messages(1);
    while (!isNewest(messages.at(-1)!)) messages.push(...(await scene.slow.messages(1)));
    const lost = messages.map((message) => noticedLoss(message) ?? 0).reduce((sum, loss) => sum + loss, 0);
    expect(lost).toBeGreaterThan(0);
    expect(messages.slice(-5).map(keyOf)).toEqual([15, 16, 17, 18, 19].map((which) => `k${which}`));
  });

  test('one that keeps up gets everything', async () => {
    const [publisher, reader] = await Promise.all([RawClient.connect(server.port), RawClient.connect(server.port)]);
    await ask(reader, { policy: 'conflate' });
    await reader.exchange('SUB one 1\r\n');
    for (let i = 0; i < 1_000; i++) {
      await publisher.exchange(publication('one', `${i} a`) + publication('one', `${i} b`));
      expect((await reader.messages(2)).map(({ payload }) => payload.toString())).toEqual([`${i} a`, `${i} b`]);
    }
  });

  test('a connection may have a default', async () => {
    const scene = await setScene(server.port, 'x', { policy: 'drop-new' });
    await ask(scene.reader, { policy: 'conflate' });
    expect(await scene.reader.exchange('PUB x 1\r\n1\r\n')).toEqual(['MSG x 1 | 1']);
  });
});

describe('a client that does not answer', () => {
  const server = useBroker({ args: ['--write-deadline', '1s'] });

  test('is a slow consumer when the deadline for it is over', async () => {
    const scene = await setScene(server.port, 'md.*', { policy: 'conflate' });
    scene.slow.socket.resume();
    for (let which = 0; which < subjects; which++)
      await scene.publisher.exchange(publication(`md.${which}`, `0 ${padding}`));
    const lines = await scene.slow.expectClosed();
    expect(lines.at(-1)).toBe("-ERR 'Slow Consumer'");
    expect(lines.filter((line) => line.startsWith('MSG'))).toHaveLength(Math.ceil(pacedBytesMax / padding.length));
  });
});
