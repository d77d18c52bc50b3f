import { expect, test } from 'vitest';
import { Catalogue } from '../../src/shard/streams/catalogue.js';
import { readConfig } from '../../src/shard/streams/catalogueEndpoints.js';
import { Slices } from '../../src/shard/streams/slices.js';
import type { StreamShards } from '../../src/shard/streams/streamCalls.js';
import { effectiveConfig } from '../../src/stream/configRules.js';
import type { StreamConfig } from '../../src/stream/streamConfig.js';

// Streams are made side by side, and nothing is given to two (docs/decisions/0088).

interface Call {
  readonly what: string;
  answer(failure?: string): void;
}

/** A catalogue whose shards answer when the test says so. */
class Site {
  readonly calls: Call[] = [];
  readonly owned = new Set<string>();
  readonly said: string[] = [];
  readonly slices = new Slices(() => {});
  readonly catalogue: Catalogue;

  constructor(memoryBytesMax = 1_000) {
    const call = (_shard: number, what: string, given: StreamConfig | string) =>
      new Promise((resolve) => {
        const name = typeof given === 'string' ? given : given.name;
        const answer = (failure?: string) =>
          resolve(failure === undefined ? { config: given } : { code: 500, errCode: 10049, description: failure });
        this.calls.push({ what: `${what} ${name ?? given}`, answer });
      });
    const change = async (pattern: string, owner: number) => {
      if (owner < 0) expect(this.owned.delete(pattern)).toBe(true);
      else {
        expect(this.owned.has(pattern)).toBe(false);
        this.owned.add(pattern);
      }
    };
    this.catalogue = new Catalogue({
      shards: 1,
      owners: { change } as never,
      calls: { call } as unknown as StreamShards,
      slices: this.slices,
      memoryBytesMax,
      onAction: (name, action) => this.said.push(`${action} ${name}`),
    });
  }

  create(name: string, subject: string, memory = 0): void {
    this.#follow(`made ${name}`, this.catalogue.create(configOf(name, subject, memory)));
  }

  update(name: string, subject: string): void {
    this.#follow(`updated ${name}`, this.catalogue.update(configOf(name, subject)));
  }

  delete(name: string): void {
    this.#follow(`deleted ${name}`, this.catalogue.delete(name));
  }

  #follow(what: string, promise: Promise<unknown>): void {
    promise.then(
      () => this.said.push(what),
      ({ message }: Error) => this.said.push(`${what}: ${message}`),
    );
  }

  /** Calls that are under way when nothing goes on without their answers. */
  async waiting(): Promise<string[]> {
    for (let i = 0; i < 20; i++) {
      await new Promise(setImmediate);
      this.slices.doWork();
    }
    return this.calls.map(({ what }) => what);
  }

  async answer(what: string, failure?: string): Promise<string[]> {
    const index = this.calls.findIndex((call) => call.what === what);
    this.calls.splice(index, 1)[0]!.answer(failure);
    return await this.waiting();
  }
}

function configOf(name: string, subject: string, memory = 0): StreamConfig {
  const storage = memory > 0 ? 'memory' : 'file';
  return effectiveConfig(readConfig(JSON.stringify({ name, subjects: [subject], storage, max_bytes: memory || -1 })));
}

test('streams are made side by side, whoever is ready first', async () => {
  const site = new Site();
  for (const name of ['A', 'B', 'C']) site.create(name, name);
  expect(await site.waiting()).toEqual(['createStream A', 'createStream B', 'createStream C']);
  await site.answer('createStream B');
  expect(site.said).toEqual(['create B', 'made B']);
  expect(await site.catalogue.names('')).toEqual(['B']);
  await site.answer('createStream C');
  await site.answer('createStream A');
  expect(await site.catalogue.names('')).toEqual(['A', 'B', 'C']);
});

test('what one is to have that is being made is refused to others, and free when it was not made', async () => {
  const site = new Site();
  site.create('A', 'a.>');
  site.create('B', 'a.b');
  site.create('M', 'm', 600);
  site.create('N', 'n', 600);
  expect(await site.waiting()).toEqual(['createStream A', 'createStream M']);
  expect(site.said).toEqual([
    'made B: subjects overlap with an existing stream',
    'made N: insufficient memory resources available',
  ]);
  await site.answer('createStream A', 'disk');
  await site.answer('createStream M', 'disk');
  site.create('B', 'a.b');
  site.create('N', 'n', 600);
  expect(await site.waiting()).toEqual(['createStream B', 'createStream N']);
});

test('one of a name that is being made is the same stream, or is made if that was not', async () => {
  const site = new Site();
  for (const subject of ['a', 'a', 'a', 'other']) site.create('A', subject);
  expect(await site.waiting()).toEqual(['createStream A']);
  await site.answer('createStream A', 'disk');
  expect(site.said).toEqual(['made A: disk']);
  expect(await site.answer('createStream A')).toEqual(['streams A']);
  expect(site.said).toContain('made A: stream name already in use with a different configuration');
});

test('what changes or removes a stream is done when nothing else is, and what was asked for later waits', async () => {
  const site = new Site();
  site.catalogue.know([configOf('K', 'k'), configOf('L', 'l')]);
  site.owned.add('k').add('l');
  site.create('A', 'a');
  site.delete('K');
  site.create('B', 'k');
  site.update('L', 'll');
  site.create('C', 'l');
  expect(await site.waiting()).toEqual(['createStream A']);
  expect(await site.answer('createStream A')).toEqual(['destroyStream K']);
  // B has what K had
  expect(await site.answer('destroyStream K')).toEqual(['createStream B']);
  expect(await site.answer('createStream B')).toEqual(['updateStream L']);
  expect(await site.answer('updateStream L')).toEqual(['createStream C']);
  await site.answer('createStream C');
  expect([...site.owned].sort()).toEqual(['a', 'k', 'l', 'll']);
});

test('a stream that could not be changed has no more than before', async () => {
  const site = new Site();
  site.catalogue.know([configOf('L', 'l')]);
  site.owned.add('l');
  site.update('L', 'll');
  await site.waiting();
  await site.answer('updateStream L', 'disk');
  expect(site.said).toEqual(['updated L: disk']);
  site.create('A', 'll');
  expect(await site.waiting()).toEqual(['createStream A']);
});
