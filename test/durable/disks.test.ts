import { describe, expect, test } from 'vitest';
import { latin1String } from '../../src/base/bytes.js';
import type { RecordView } from '../../src/log/storage.js';
import type { Stream } from '../../src/stream/stream.js';
import { randomFrom } from '../sim/random.js';
import { emptyDisk, inSteps, type ShardOnDisk, shardOn } from './shardOnDisk.js';

// Invariants 44 and 46 of docs/INVARIANTS.md.

const payloadOf = ({ span, start, headerBytes, end }: RecordView) => latin1String(span.bytes, start + headerBytes, end);

async function read(shard: ShardOnDisk, stream: Stream, sequence: number): Promise<string | null> {
  const steps = stream.read(sequence, payloadOf);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value as string | null;
    await shard.during(value as Promise<void>);
  }
}

test('nothing is told or delivered while the disk hangs, whoever has nothing to do with it goes on, and publishers are held', async () => {
  const shard = await shardOn();
  await shard.create({ name: 'D', subjects: ['d'] });
  await shard.create({ name: 'M', subjects: ['m'], storage: 'memory' });
  await shard.rest();
  shard.publish('d', ['a', 'b']);
  shard.publish('m', ['c']);
  shard.publish('d', ['e']);
  shard.turn();
  expect(shard.delivered).toEqual(['c']);
  expect([...shard.acks]).toEqual([['c', { stream: 'M', seq: 1 }]]);
  expect(shard.heldUp.size).toBe(0);
  const long = (i: number) => `${i} ${'x'.repeat(16_000)}`;
  for (let i = 0; shard.heldUp.size === 0; i++) shard.publish('d', [long(i)]);
  expect([...shard.heldUp]).toEqual(['d']);
  shard.turn();
  expect(shard.delivered).toEqual(['c']);
  await shard.rest();
  expect(shard.delivered.slice(0, 4)).toEqual(['c', 'a', 'b', 'e']);
  expect(shard.delivered.slice(4)).toEqual(shard.delivered.slice(4).map((_, i) => long(i)));
  expect(shard.acks.get('e')).toEqual({ stream: 'D', seq: 3 });
  expect(shard.acks.size).toBe(shard.delivered.length);
});

test.each(['synced', 'buffered'] as const)(
  'while the disk of the %s journal hangs, streams of the other one go on',
  async (hangs) => {
    const shard = await shardOn();
    const buffered = { metadata: { 'shardcast.sync': 'interval:100' } };
    await shard.create({ name: 'H', subjects: ['h'], ...(hangs === 'buffered' ? buffered : {}) });
    await shard.create({ name: 'G', subjects: ['g'], ...(hangs === 'synced' ? buffered : {}) });
    await shard.rest();
    shard.hanging = hangs === 'synced' ? shard.disk : shard.bufferedDisk;
    // too long for a journal that is buffered to write it at once
    const long = (i: number) => `h${i} ${'x'.repeat(17_000)}`;
    let last = 0;
    while (!shard.heldUp.has('h')) shard.publish('h', [long(++last)]);
    for (let i = 1; i <= 3; i++) {
      shard.publish('g', [`g${i}`]);
      await shard.rest();
      expect(shard.delivered).toEqual(['g1', 'g2', 'g3'].slice(0, i));
      expect(shard.acks.get(`g${i}`)).toEqual({ stream: 'G', seq: i });
    }
    expect([...shard.heldUp]).toEqual(['h']);
    expect(shard.acks.size).toBe(3);
    shard.hanging = null;
    await shard.rest();
    expect(shard.delivered.slice(3)).toEqual(Array.from({ length: last }, (_, i) => long(i + 1)));
    expect(shard.acks.get(`h${last}`)).toEqual({ stream: 'H', seq: last });
  },
);

test('plain subscribers of a stream may see at once what only the disk acknowledges, but nothing before what was held back', async () => {
  const shard = await shardOn();
  const held = { name: 'D', subjects: ['d'] };
  const immediate = { ...held, metadata: { 'shardcast.deliver': 'immediate' } };
  const stream = await shard.create(immediate);
  await shard.create({ name: 'E', subjects: ['e'] });
  await shard.rest();
  shard.publish('e', ['held']);
  shard.publish('d', ['a']);
  expect(shard.delivered).toEqual(['a']);
  shard.turn();
  expect(shard.acks.size).toBe(0);
  await shard.rest();
  expect(shard.delivered).toEqual(['a', 'held']);
  expect(shard.acks.get('a')).toEqual({ stream: 'D', seq: 1 });
  shard.become(stream, held);
  shard.publish('d', ['b']);
  shard.become(stream, immediate);
  shard.publish('d', ['c']);
  expect(shard.delivered).toEqual(['a', 'held']);
  await shard.rest();
  // who publishes and waits, waits for the disk
  shard.publish('d', ['d'], 1);
  shard.publish('d', ['e']);
  expect(shard.delivered).toEqual(['a', 'held', 'b', 'c']);
  await shard.rest();
  shard.publish('d', ['f']);
  expect(shard.delivered).toEqual(['a', 'held', 'b', 'c', 'd', 'e', 'f']);
  await shard.rest();
});

test('who waits with a token hears when what he published is on disk, or that it is not, once', async () => {
  const shard = await shardOn();
  await shard.create({ name: 'D', subjects: ['d'] });
  await shard.rest();
  shard.publish('d', ['a'], 1);
  shard.publish('d', ['b'], 2);
  shard.turn();
  expect([shard.passed, shard.delivered]).toEqual([[], []]);
  await shard.rest();
  expect(shard.passed).toEqual([1, 2]);
  shard.disk.fault = { kind: 'write', code: 'EIO', countdown: 0 };
  shard.publish('d', ['c'], 3);
  await shard.rest();
  shard.publish('d', ['e'], 4);
  await shard.rest();
  expect(Object.fromEntries(shard.refused)).toEqual({ 3: 'simulated EIO', 4: 'simulated EIO' });
  expect(shard.passed).toEqual([1, 2]);
  expect(shard.delivered).toEqual(['a', 'b', 'c', 'e']);
});

test('after an error of the disk whoever waits is told, nothing is stored or changed, and what was on disk is read', async () => {
  const shard = await shardOn();
  const stream = await shard.create({ name: 'D', subjects: ['d'] });
  const memory = await shard.create({ name: 'M', subjects: ['m'], storage: 'memory' });
  shard.publish('d', ['a']);
  await shard.rest();
  shard.disk.fault = { kind: 'write', code: 'EIO', countdown: 0 };
  shard.publish('d', ['b']);
  await shard.rest();
  shard.publish('d', ['c']);
  shard.publish('m', ['e']);
  await shard.rest();
  const refused = { error: { code: 503, err_code: 10077, description: 'simulated EIO' }, stream: 'D', seq: 0 };
  expect(Object.fromEntries(shard.acks)).toEqual({
    a: { stream: 'D', seq: 1 },
    b: refused,
    c: refused,
    e: { stream: 'M', seq: 1 },
  });
  // what is refused is delivered, as in NATS
  expect(shard.delivered).toEqual(['a', 'b', 'c', 'e']);
  expect(shard.failures).toEqual(['simulated EIO']);
  expect(await read(shard, stream, 1)).toBe('a');
  await expect(read(shard, stream, 2)).rejects.toThrow('simulated EIO');
  await expect(shard.during(shard.streams.change('D', async () => 1))).rejects.toThrow('simulated EIO');
  await expect(shard.during(shard.streams.destroy('D'))).rejects.toThrow('simulated EIO');
  await expect(shard.create({ name: 'E', subjects: ['e'] })).rejects.toThrow('simulated EIO');
  expect(memory.messages).toBe(1);
  shard.streams.tick();
  await shard.rest();
});

test('a full disk refuses what is published, and takes it again when there is room', async () => {
  const shard = await shardOn();
  const stream = await shard.create({ name: 'D', subjects: ['d'] });
  shard.disk.capacityBytes = 2.5 * 48 * 1024;
  const long = (i: number) => `${i} ${'x'.repeat(9_000)}`;
  let last = 0;
  while (stream.storage.intake !== 'full') {
    shard.publish('d', [long(++last)]);
    await shard.rest();
  }
  expect(shard.acks.get(`${last}`)).toEqual({ stream: 'D', seq: last });
  shard.publish('d', ['refused'], 1);
  await shard.rest();
  expect(shard.acks.get('refused')).toMatchObject({ error: { code: 503, err_code: 10023 }, seq: 0 });
  expect([[...shard.refused], shard.passed]).toEqual([[[1, 'insufficient resources']], []]);
  await shard.during(
    shard.streams.purge(
      'D',
      inSteps(({ purges }) => purges.below(last)),
    ),
  );
  await shard.rest();
  shard.publish('d', ['taken']);
  await shard.rest();
  expect(shard.acks.get('taken')).toEqual({ stream: 'D', seq: last + 1 });
  expect(shard.failures).toEqual([]);
});

const seeds = Number(process.env.DISK_SEEDS ?? 40);

describe('whatever a crash leaves', () => {
  test.each(Array.from({ length: 4 }, (_, part) => part))('what was told is there, part %i', async (part) => {
    for (let seed = part + 1; seed <= seeds; seed += 4) {
      const below = randomFrom(seed);
      const shard = await shardOn(emptyDisk(seed));
      await shard.create({ name: 'D', subjects: ['d'], max_msgs: 40 });
      await shard.create({ name: 'E', subjects: ['e'] });
      const published = { d: 0, e: 0 };
      for (let i = below(60); i >= 0; i--) {
        const subject = below(2) === 0 ? 'd' : 'e';
        const run = Array.from(
          { length: 1 + below(4) },
          () => `${subject}${++published[subject]} ${'x'.repeat(below(300))}`,
        );
        shard.publish(subject, run);
        for (let steps = below(8); steps > 0; steps--) await shard.step();
      }
      const told = new Set([...shard.acks.keys(), ...shard.delivered.map((text) => text.split(' ')[0]!)]);
      const after = await shardOn(shard.disk.crashed(below));
      for (const subject of ['d', 'e'] as const) {
        const stream = await after.streams.get(subject.toUpperCase());
        const { messages, firstSequence, lastSequence } = stream;
        const reached = [...told].filter((name) => name.startsWith(subject)).length;
        expect(lastSequence, `seed ${seed}`).toBeGreaterThanOrEqual(reached);
        expect(messages).toBe(subject === 'd' ? Math.min(40, lastSequence) : lastSequence);
        for (let sequence = firstSequence; sequence <= lastSequence && sequence > 0; sequence++)
          expect((await read(after, stream, sequence))?.split(' ')[0], `seed ${seed}`).toBe(`${subject}${sequence}`);
      }
    }
  });
});
