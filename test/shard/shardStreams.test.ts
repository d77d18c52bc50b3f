import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { placeOf } from '../../src/base/span.js';
import { MemoryStorages } from '../../src/log/memoryStorage.js';
import { Answers } from '../../src/shard/streams/answers.js';
import { Capture } from '../../src/shard/streams/capture.js';
import { ShardStreams } from '../../src/shard/streams/shardStreams.js';
import { Slices } from '../../src/shard/streams/slices.js';
import type { Stream } from '../../src/stream/stream.js';
import { configOf, messageOf } from '../stream/streams.js';

// Invariant 42 of docs/INVARIANTS.md.

/** The streams of a shard that has a turn only when it is given one. */
class ShardInTurns {
  readonly slices = new Slices(() => {});
  readonly streams: ShardStreams;
  readonly clock = { us: 1_000_000, nowUs: (): number => this.clock.us };

  constructor() {
    const answers = new Answers({ say: () => 'said' });
    const storages = { memory: new MemoryStorages(), file: null };
    this.streams = new ShardStreams(storages, 1e9, new Capture(answers, this.clock, ''), this.slices, this.clock);
  }

  /** One turn, and what follows from it. */
  async turn(): Promise<void> {
    this.slices.doWork();
    await new Promise(setImmediate);
  }
}

const place = placeOf(latin1Bytes('s'));
const empty = messageOf({}, '');

/** Stores a message in every step: a change of several turns. */
function* store(stream: Stream, count: number): Generator<void, number> {
  for (let i = 0; i < count; i++) {
    stream.publish(place, 's', empty, 0, 1);
    yield;
  }
  return stream.lastSequence;
}

type Asked = 'destroy' | 'look' | number | null;
const asked = fc.array(fc.oneof(fc.constantFrom<Asked[]>('look', 'destroy', null, null), fc.nat(3)), { maxLength: 30 });

test('changes of a stream are made one by one in the order in which they were asked for, and whoever looks at it sees those that were asked for before', async () => {
  await fc.assert(
    fc.asyncProperty(asked, async (steps) => {
      const shard = new ShardInTurns();
      await shard.streams.create(configOf({ name: 'S' }));
      const outcomes: Promise<unknown>[] = [];
      const expected: unknown[] = [];
      let last = 0;
      let isThere = true;
      for (const step of steps) {
        if (step === null) {
          await shard.turn();
          continue;
        }
        const answer =
          step === 'look'
            ? shard.streams.get('S').then((stream) => stream.lastSequence)
            : step === 'destroy'
              ? shard.streams.destroy('S')
              : shard.streams.change('S', (stream) => shard.slices.run(store(stream, step)));
        outcomes.push(answer.catch((error: Error) => error.message));
        if (typeof step === 'number' && isThere) last += step;
        if (!isThere) expected.push('stream not found');
        else expected.push(step === 'destroy' ? undefined : last);
        if (step === 'destroy') isThere = false;
      }
      do await shard.turn();
      while (!shard.slices.quiet);
      expect(await Promise.all(outcomes)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});
