import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { DataDirectory } from '../../src/log/dataDirectory.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { systemDisk } from '../../src/log/files.js';
import { Inspection } from '../../src/log/inspection.js';
import type { Storage } from '../../src/log/storage.js';
import { systemTimers } from '../../src/log/timers.js';
import { runOf, smallShape, subjectOf, textOf } from './durableRun.js';
import { openOwned, type RecordMap } from './recordMap.js';

// Invariant 53 of docs/INVARIANTS.md.

let root: string;
beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/shardcast-data-`);
});
afterEach(() => rmSync(root, { recursive: true }));

const randomBytes = (count: number) => new Uint8Array(count).fill(0xab);
const shardOf = (name: string, shards: number) => name.charCodeAt(0) % shards;

function openAt(path: string, shards = 2, journalPath: string | null = null): Promise<DataDirectory> {
  return DataDirectory.open({ disk: systemDisk, path, journalPath, shards, shape: smallShape, shardOf, randomBytes });
}

test('a data directory is made where there is none, and is the same again', async () => {
  const path = `${root}/a/b`;
  const first = await openAt(path);
  expect(first.place).toEqual({
    streams: `${path}/streams`,
    journals: `${path}/journal-1`,
    id: new Uint8Array(8).fill(0xab),
    shape: smallShape,
  });
  first.close();
  const second = await openAt(path);
  expect(second.place).toEqual(first.place);
  second.close();
});

test.runIf(process.platform === 'linux')('where nothing can be made, it is tried once and told', async () => {
  await expect(openAt('/proc/shardcast')).rejects.toThrow(/^E(NOENT|ACCES|PERM)/);
});

test('a file in the way of a data directory is told', async () => {
  writeFileSync(`${root}/file`, '');
  await expect(openAt(`${root}/file`)).rejects.toThrow('EEXIST');
  await expect(openAt(`${root}/file/a`)).rejects.toThrow('ENOTDIR');
});

test('a data directory has one broker at a time', async () => {
  const first = await openAt(root);
  await expect(openAt(root)).rejects.toThrow(`${root} is used by another broker`);
  first.close();
  (await openAt(root)).close();
});

test('what is damaged, missing or of another version is not written over', async () => {
  (await openAt(root)).close();
  const path = `${root}/shardcast.json`;
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace('"shards":2', '"shards":3'));
  await expect(openAt(root)).rejects.toThrow(`${path} is damaged`);
  writeFileSync(path, text.slice(1));
  await expect(openAt(root)).rejects.toThrow(`${path} is damaged`);
  rmSync(path);
  writeFileSync(`${root}/journal-1/x`, '');
  await expect(openAt(root)).rejects.toThrow(`${path} is missing`);
});

const directoryOfId = 'ab'.repeat(8);

test('journals may be on a disk of their own, which several data directories share', async () => {
  const fast = `${root}/fast`;
  const first = await openAt(`${root}/a`, 2, fast);
  expect(first.place.journals).toBe(`${fast}/${directoryOfId}/journal-1`);
  expect(first.place.streams).toBe(`${root}/a/streams`);
  const setting = { disk: systemDisk, path: `${root}/b`, journalPath: fast, shards: 2, shape: smallShape, shardOf };
  const second = await DataDirectory.open({ ...setting, randomBytes: (count) => new Uint8Array(count) });
  expect(second.place.journals).not.toBe(first.place.journals);
  first.close();
  second.close();
});

test('journals are looked for where they were, or where somebody has moved them', async () => {
  const [path, fast, faster] = [`${root}/a`, `${root}/fast`, `${root}/faster`];
  (await openAt(path)).close();
  writeFileSync(`${path}/journal-1/x`, '');
  await expect(openAt(path, 2, fast)).rejects.toThrow(
    `the journals of ${path} are in ${path}/journal-1: leave them there, or move that directory to ${fast}/${directoryOfId}/journal-1`,
  );
  mkdirSync(`${fast}/${directoryOfId}`, { recursive: true });
  renameSync(`${path}/journal-1`, `${fast}/${directoryOfId}/journal-1`);
  (await openAt(path, 2, fast)).close();
  await expect(openAt(path)).rejects.toThrow(`the journals of ${path} are in ${fast}/${directoryOfId}/journal-1`);
  await expect(openAt(path, 2, faster)).rejects.toThrow('leave them there');
  const again = await openAt(path, 2, fast);
  expect(again.place.journals).toBe(`${fast}/${directoryOfId}/journal-1`);
  again.close();
});

let number = 1;

/** Opens all streams of a directory with so many shards, lets somebody use them, and closes them. */
async function withShards(
  shards: number,
  use: (byName: Map<string, Storage>, all: DurableStorages[], owners: Map<string, RecordMap>) => Promise<void>,
  journalPath: string | null = null,
) {
  const directory = await openAt(root, shards, journalPath);
  // those with buffered journals behind the others
  const all = Array.from(
    { length: 2 * shards },
    (_, i) =>
      new DurableStorages({
        disk: systemDisk,
        timers: systemTimers,
        place: directory.place,
        shard: i % shards,
        buffered: i >= shards,
        random: () => number++,
        owns: (name) => shardOf(name, shards) === i % shards,
        onUnsaved: (reason) => expect.fail(reason),
        onDamage: (damage) => expect.fail(JSON.stringify(damage)),
      }),
  );
  const byName = new Map<string, Storage>();
  const owners = new Map<string, RecordMap>();
  for (const storages of all)
    for (const { name, description, storage, owner } of await openOwned(storages)) {
      expect(description).toBe(`about ${name}`);
      byName.set(name, storage);
      owners.set(name, owner);
    }
  await use(byName, all, owners);
  for (const storages of all) await storages.close();
  directory.close();
}

test('streams are the same with another number of shards', async () => {
  const expected = new Map<string, string[]>();
  const names = ['a', 'b', 'c', 'd', 'e'];
  await withShards(2, async (_, all) => {
    for (const name of names) {
      const isBuffered = name === 'a' || name === 'b';
      const storage = await all[shardOf(name, 2) + (isBuffered ? 2 : 0)]!.create(name, `about ${name}`, 5);
      storage.append(subjectOf(`to.${name}`), runOf(['one', 'two', 'three', name]), 0, 4, 77);
      storage.remove(6, false);
      storage.note(4, 'whole', latin1Bytes('gone'));
      storage.note(4, 'whole', latin1Bytes(name));
      storage.note(4, 'change', latin1Bytes('+1'));
      storage.note(2 ** 50, 'whole', latin1Bytes('ended'));
      storage.note(2 ** 50, 'end', latin1Bytes(''));
      storage.note(4, 'change', latin1Bytes('+2'));
      // one whose sequences have a gap that nobody could walk through
      if (name === 'c') storage.skipTo(2 ** 40);
      else storage.skipTo(20);
      expected.set(
        name,
        ['5@77 to.* one', '7@77 to.* three', `8@77 to.* ${name}`].map((text) => `${text.replace('*', name)}\r\n`),
      );
    }
  });
  for (const shards of [3, 3, 1, 4, 2]) {
    await withShards(shards, async (byName, _, owners) => {
      expect([...byName.keys()].sort()).toEqual(names);
      for (const name of names) expect([...owners.get(name)!.notes]).toEqual([[4, `${name}+1+2`]]);
      for (const [name, storage] of byName) {
        const records: string[] = [];
        await storage.scan((record) => records.push(textOf(record)));
        expect(records).toEqual(expected.get(name));
        expect(storage.nextSequence).toBe(name === 'c' ? 2 ** 40 : 20);
      }
    });
  }
});

test('journals on a disk of their own are made anew there, and a directory without its journals is not taken for an empty one', async () => {
  const fast = `${root}/fast`;
  const append = async (all: readonly DurableStorages[]) => {
    const storage = await all[shardOf('a', 1)]!.create('a', 'about a', 1);
    storage.append(subjectOf('to.a'), runOf(['one']), 0, 1, 77);
  };
  await withShards(1, (_, all) => append(all), fast);
  await withShards(2, async (byName) => expect(byName.get('a')?.nextSequence).toBe(2), fast);
  expect(readdirSync(`${fast}/${directoryOfId}`)).toEqual(['journal-2']);
  rmSync(`${fast}/${directoryOfId}/journal-2`, { recursive: true });
  await expect(withShards(2, async () => {}, fast)).rejects.toThrow('has no journal, though there are 1 streams');
});

test('streams that had a directory each have a file each from the next start on, and are not looked at before', async () => {
  const names = ['a', 'b', 'c'];
  await withShards(2, async (_, all) => {
    for (const name of names) {
      const storage = await all[shardOf(name, 2)]!.create(name, `about ${name}`, 1);
      storage.append(subjectOf(`to.${name}`), runOf([name]), 0, 1, 7);
    }
  });
  const streams = `${root}/streams`;
  const files = readdirSync(streams);
  expect(files).toHaveLength(names.length);
  for (const file of files) {
    const directory = `${streams}/${file.slice(0, -'.json'.length)}`;
    mkdirSync(directory);
    renameSync(`${streams}/${file}`, `${directory}/meta.json`);
  }
  // half made, before and now
  mkdirSync(`${streams}/00000000ffff`);
  writeFileSync(`${streams}/00000000fffe.json.new`, '{');
  const inspect = () =>
    Inspection.open({ disk: systemDisk, path: root, journalPath: null, shape: smallShape, shardOf });
  expect(inspect).toThrow(`${streams} is as an earlier version has left it: start a broker with it once`);
  await withShards(2, async (byName) => {
    for (const name of names) expect(byName.get(name)?.nextSequence).toBe(2);
  });
  expect(readdirSync(streams).sort()).toEqual(files.sort());
  await inspect().close();
});
