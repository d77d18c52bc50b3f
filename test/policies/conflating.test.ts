import { describe, expect, test } from 'vitest';
import type { Frame, Message } from '../harness/frames.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { ask, noticedLoss, padding, publication, type Scene, setScene } from './slowSubscriber.js';

// Invariant 13 of docs/INVARIANTS.md.

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

/** Each has its values in order, without any twice, the last one last, and fewer than there were. */
function expectConflated(values: Map<string, number[]>): void {
  expect(values.size).toBe(subjects);
  for (const seen of values.values()) expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
  const total = [...values.values()].reduce((sum, seen) => sum + seen.length, 0);
  expect(total).toBeLessThan(subjects * rounds);
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
    const isNewest = (frame: Frame): boolean =>
      frame.op === 'MSG' && keyOf(frame) === `k${subjects - 1}` && roundOf(frame) === rounds - 1;
    const messages = (await scene.slow.readUntil(isNewest, 'the newest value')) as Message[];
    const lost = messages.map((message) => noticedLoss(message) ?? 0).reduce((sum, loss) => sum + loss, 0);
    expect(lost).toBeGreaterThan(0);
    expect(messages.slice(-5).map(keyOf)).toEqual([15, 16, 17, 18, 19].map((which) => `k${which}`));
  });

  test('a connection may have a default', async () => {
    const scene = await setScene(server.port, 'x', { policy: 'drop-new' });
    await ask(scene.reader, { policy: 'conflate' });
    expect(await scene.reader.exchange('PUB x 1\r\n1\r\n')).toEqual(['MSG x 1 | 1']);
  });
});
