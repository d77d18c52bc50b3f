import { codecs } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { inProcess } from './broker.js';

// Invariants 18 and 20 of docs/INVARIANTS.md.

const patience = { timeout: 45_000 };
const subjects = Array.from({ length: 600 }, (_, i) => `md.${i}`);

describe.each([1, 4])('%i shards', (shards) => {
  async function filled() {
    const broker = await inProcess({ listen: false, shards, lastValue: ['md.*'] });
    const topic = broker.topic<string>('md.*', { codec: codecs.utf8 });
    await Promise.all(subjects.map((subject) => topic.publish('0', { subject })));
    return { broker, topic };
  }

  test('an image is larger than the buffer of who takes it: it waits, and nothing is lost', async () => {
    const { topic } = await filled();
    const seen = new Set<string>();
    for await (const { subject } of topic.subscribe({ last: true, bufferCount: 4 }))
      if (seen.add(subject).size === subjects.length) break;
    expect([...seen].sort()).toEqual([...subjects].sort());
    const dropped: number[] = [];
    const handled: string[] = [];
    topic.subscribe(({ subject }) => handled.push(subject), {
      last: true,
      policy: 'drop-old',
      bufferCount: 10,
      onDrop: (_, total) => dropped.push(total),
    });
    await expect.poll(() => handled.length, patience).toBe(subjects.length);
    expect(handled.sort()).toEqual([...subjects].sort());
    expect(dropped).toEqual([]);
  });

  test('what is published right after subscribing comes behind the image; many subscribe at once', async () => {
    const { broker } = await filled();
    const got = subjects.map((subject) => {
      const values: string[] = [];
      const topic = broker.topic<string>(subject, { codec: codecs.utf8 });
      topic.subscribe(({ value }) => values.push(value), { last: true });
      topic.offer('1');
      topic.offer('2');
      return values;
    });
    await expect.poll(() => got.every((values) => values.at(-1) === '2'), patience).toBe(true);
    for (const values of got) expect(values).toEqual(['0', '1', '2']);
  });

  test('a subscription that ends in the middle of its image gets no more of it, and leaves nothing behind', async () => {
    const { broker, topic } = await filled();
    for (let round = 1; round <= 20; round++) {
      const aborter = new AbortController();
      const seen: string[] = [];
      const stream = topic.subscribe({ last: true, bufferCount: 8, signal: aborter.signal });
      for await (const { subject } of stream) {
        seen.push(subject);
        if (seen.length === round) aborter.abort();
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.length).toBeLessThan(subjects.length);
    }
    // a stop waits for images that are under way
    topic.subscribe(() => {}, { last: true });
    await broker.stop();
  });
});
