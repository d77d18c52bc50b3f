import { expect, test } from 'vitest';
import { SharedSync } from '../../src/log/sharedSync.js';

// What a stream is kept by is on disk before anybody is told of it (docs/decisions/0088).

interface Sync {
  resolve(): void;
  reject(error: Error): void;
}

function site() {
  const syncs: Sync[] = [];
  const shared = new SharedSync(() => new Promise((resolve, reject) => syncs.push({ resolve, reject })));
  const said: string[] = [];
  const ask = (who: string) =>
    shared.run().then(
      () => said.push(who),
      ({ message }: Error) => said.push(`${who}: ${message}`),
    );
  const over = () => new Promise(setImmediate);
  return { syncs, said, ask, over };
}

test('who asks while a sync is under way shares the next one with all others who do', async () => {
  const { syncs, said, ask, over } = site();
  for (const who of ['a', 'b', 'c']) ask(who);
  expect(syncs).toHaveLength(1);
  syncs[0]!.resolve();
  await over();
  expect(said).toEqual(['a']);
  expect(syncs).toHaveLength(2);
  ask('d');
  syncs[1]!.resolve();
  await over();
  expect(said).toEqual(['a', 'b', 'c']);
  expect(syncs).toHaveLength(3);
  syncs[2]!.resolve();
  await over();
  expect(said).toEqual(['a', 'b', 'c', 'd']);
  ask('e');
  expect(syncs).toHaveLength(4);
});

test('who waits behind a sync that fails is told so, too, and the next one begins anew', async () => {
  const { syncs, said, ask, over } = site();
  for (const who of ['a', 'b']) ask(who);
  syncs[0]!.reject(new Error('EIO'));
  await over();
  expect(said.sort()).toEqual(['a: EIO', 'b: EIO']);
  expect(syncs).toHaveLength(1);
  ask('c');
  syncs[1]!.resolve();
  await over();
  expect(said).toContain('c');
});
