import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataDirectory } from '../../src/log/dataDirectory.js';
import { systemDisk } from '../../src/log/files.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/shardcast-data-`);
});
afterEach(() => rmSync(root, { recursive: true }));

const openAt = (path: string) => DataDirectory.open(systemDisk, path, 2, (count) => new Uint8Array(count).fill(0xab));

test('a data directory is made where there is none, and is the same again', async () => {
  const path = `${root}/a/b`;
  const first = await openAt(path);
  expect(first.place).toEqual({
    streams: `${path}/streams`,
    journals: `${path}/journal`,
    id: new Uint8Array(8).fill(0xab),
  });
  first.close();
  const second = await openAt(path);
  expect(second.place).toEqual(first.place);
  second.close();
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
  writeFileSync(`${root}/journal/x`, '');
  await expect(openAt(root)).rejects.toThrow(`${path} is missing`);
});
