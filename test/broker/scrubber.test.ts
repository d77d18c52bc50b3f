import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import type { Logger } from '../../src/broker/logger.js';
import { Scrubber } from '../../src/broker/scrubber.js';
import type { Damage } from '../../src/log/damage.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { systemDisk } from '../../src/log/files.js';
import { committed } from '../../src/log/storage.js';
import { systemTimers } from '../../src/log/timers.js';
import { runOf, simSetting, subjectOf } from '../log/durableRun.js';
import { openAll } from '../log/recordMap.js';

// Invariant 41 of docs/INVARIANTS.md.

const worker = new URL('../../dist/workers/scrub.js', import.meta.url);

/** A shard with a stream of several files. */
async function filledShard() {
  const root = mkdtempSync(`${tmpdir()}/shardcast-scrub-`);
  onTestFinished(() => rmSync(root, { recursive: true }));
  const damages: Damage[] = [];
  const setting = simSetting(systemDisk, systemTimers, () => 7);
  const place = { ...setting.place, streams: `${root}/streams`, journals: `${root}/journals` };
  for (const directory of [place.streams, place.journals]) await systemDisk.makeDirectory(directory);
  const storages = new DurableStorages({ ...setting, place, onDamage: (damage) => damages.push(damage) });
  await openAll(storages);
  const storage = await storages.create('a', 'a', 1);
  // nothing of it is copied
  storage.keptBytes = 1e9;
  for (let i = 0; i < 40; i++) {
    storage.append(subjectOf('a.b'), runOf(['z'.repeat(4_000)]), 0, 1, i);
    await committed(storage);
  }
  onTestFinished(() => storages.close());
  return { storages, damages, place };
}

/** Lines of a log, and who waits for the next one of some text. */
function logOf() {
  const lines: { text: string; fields: object }[] = [];
  const waiting: { text: string; resolve: () => void }[] = [];
  const write = (fields: object | string, text = '') => {
    lines.push({ text, fields: fields as object });
    for (const each of waiting.splice(0))
      if (each.text === text) each.resolve();
      else waiting.push(each);
  };
  const log = { fatal: write, error: write, warn: write, info: write, debug: write } as Logger;
  const next = (text: string) => new Promise<void>((resolve) => waiting.push({ text, resolve }));
  return { log, lines, next };
}

test('what is on disk is checked while a shard works, and damage is told with what it has taken', async () => {
  const { storages, damages, place } = await filledShard();
  const { log, lines, next } = logOf();
  const shard = {
    sealedFiles: async () => storages.sealedFiles,
    onScrubbed: async (gaps: never) => storages.onScrubbed(gaps),
  };
  const scrubber = new Scrubber({ place, journals: [shard], periodMs: 1, log: () => log, worker });
  const first = next('scrub: done');
  const running = scrubber.run();
  await first;
  const { end } = storages.sealedFiles!;
  const [started, done] = lines as { text: string; fields: { files: number } }[];
  const { files } = started!.fields;
  expect(files).toBeGreaterThan(2);
  const bytes = files * place.shape.fileBytes;
  expect(started).toEqual({ text: 'scrub: started', fields: { files, bytes } });
  expect(done).toMatchObject({ text: 'scrub: done', fields: { files, bytes, damaged: 0 } });
  expect(damages).toEqual([]);

  const path = `${place.journals}/0/${`${end - 2}`.padStart(10, '0')}.jnl`;
  const file = readFileSync(path);
  const offset = file.lastIndexOf('a.bzzz');
  const damagedByte = file.subarray(offset, offset + 1).map((byte) => byte ^ 1);
  const written = openSync(path, 'r+');
  writeSync(written, damagedByte, 0, 1, offset);
  closeSync(written);
  // one may be under way
  await next('scrub: done');
  await next('scrub: done');
  await scrubber.end();
  await running;
  const [damage] = damages;
  expect(damage).toMatchObject({ file: path, lost: [{ stream: 7 }] });
  expect(damage!.offset <= offset && offset < damage!.offset + damage!.bytes).toBe(true);
  expect(lines.at(-1)?.fields).toMatchObject({ damaged: 1 });
});
