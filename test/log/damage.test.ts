import { expect, test } from 'vitest';
import { blockMagic, magicAt, versionAt } from '../../src/log/blockLayout.js';
import type { Damage } from '../../src/log/damage.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { journalNumbers } from '../../src/log/journalFiles.js';
import type { Storage } from '../../src/log/storage.js';
import { randomFrom } from '../sim/random.js';
import { removeBelow, runOf, simSetting, smallShape, subjectOf } from './durableRun.js';
import { type ReadBack, readBack } from './readBack.js';
import { openAll } from './recordMap.js';
import { SimDisk } from './simDisk.js';
import { SimTimers } from './simTimers.js';

// Invariant 41 of docs/INVARIANTS.md.

/** A bit is flipped every so many bytes, in the last files every 127 at least: `LOG_FLIP_STEP=1 npx vitest run test/log/damage.test.ts` for all of them. */
const step = Number(process.env.LOG_FLIP_STEP ?? 993);

/** A journal of several files and streams, closed. */
async function journalOf(seed: number): Promise<SimDisk> {
  const random = randomFrom(seed);
  const disk = new SimDisk(random, true);
  for (const directory of ['/journal', '/streams']) disk.directories.add(directory);
  const timers = new SimTimers();
  let number = 1;
  const storages = new DurableStorages(simSetting(disk, timers, () => number++));
  const drive = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { over: false };
    void promise.finally(() => {
      state.over = true;
    });
    while (!state.over) {
      if (!disk.step()) timers.step();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return promise;
  };
  await drive(openAll(storages));
  const streams: Storage[] = [];
  for (const name of ['a', 'b', 'c']) streams.push(await drive(storages.create(name, name, 1)));
  for (let i = 0; i < 120; i++) {
    const storage = streams[random(random(2) === 0 ? 1 : 3)]!;
    const long = random(10) === 0 ? 'z'.repeat(9_000) : 'z'.repeat(random(300));
    storage.append(subjectOf('a.b'), runOf([`${i}`, long]), 0, 2, i);
    if (random(6) === 0 && storage.nextSequence > 4) removeBelow(storage, storage.nextSequence - 3);
    for (let steps = random(12); steps > 0; steps--) {
      if (!disk.step()) timers.step();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await drive(storages.close());
  return disk;
}

function isCovered({ damages }: ReadBack, position: number): boolean {
  return damages.some((damage) => damage.position <= position && position < damage.position + damage.bytes);
}

/** Whether all that is missing was told of. */
function complaints(found: ReadBack, expected: ReadBack): string[] {
  const wrong: string[] = [];
  for (const [name, { meta, state }] of expected.streams) {
    const here = found.streams.get(name)!.state;
    for (const [sequence, text] of state.records) {
      const record = here.records.get(sequence);
      if (record === undefined && !isLost(found.damages, meta.number, sequence))
        wrong.push(`${name} lacks ${sequence}`);
      if (record !== undefined && record !== text) wrong.push(`${name} has another ${sequence}`);
    }
    if (here.next !== state.next) wrong.push(`${name} goes on at ${here.next} in place of ${state.next}`);
    if (found.damages.length === 0 && !here.equals(state)) wrong.push(`${name} has what was removed`);
  }
  return wrong;
}

function isLost(damages: readonly Damage[], stream: number, sequence: number): boolean {
  return damages.some(({ lost }) =>
    lost.some((range) => range.stream === stream && range.first <= sequence && sequence <= range.last),
  );
}

test.each([4, 5])(
  'a bit flipped anywhere in journal %i is reported with what is missing, or changes nothing',
  async (seed) => {
    const disk = await journalOf(seed);
    const expected = readBack(disk);
    expect(expected.damages).toEqual([]);
    const files = disk.files();
    const numbers = journalNumbers(disk.namesNow('/journal/0'));
    expect(numbers.length).toBeGreaterThan(3);
    let reported = 0;
    for (const number of numbers) {
      const bytes = files.get(`/journal/0/${`${number}`.padStart(10, '0')}.jnl`)!;
      // what the last files have is followed by little that tells of it
      const isLate = number >= Math.floor((expected.end - 1) / smallShape.fileBytes) - 1;
      const stride = isLate ? Math.min(step, 127) : step;
      for (let at = number % stride; at < bytes.length; at += stride) {
        bytes[at]! ^= 1 << (at & 7);
        const position = number * smallShape.fileBytes + at;
        const found = readBack(disk);
        if (found.damages.length > 0) {
          expect(isCovered(found, position), `damage at ${position}: ${JSON.stringify(found.damages)}`).toBe(true);
          reported++;
        }
        expect(complaints(found, expected), `a bit flipped at ${position}`).toEqual([]);
        bytes[at]! ^= 1 << (at & 7);
      }
    }
    expect(reported).toBeGreaterThan(20);
  },
);

test.each([512, 4096, 20_000])('%i bytes in a row that are zeros are reported', async (lengthBytes) => {
  const disk = await journalOf(8);
  const expected = readBack(disk);
  const files = disk.files();
  const random = randomFrom(lengthBytes);
  for (let i = 0; i < 40; i++) {
    const numbers = journalNumbers(disk.namesNow('/journal/0')).slice(0, -2);
    const number = numbers[random(numbers.length)]!;
    const bytes = files.get(`/journal/0/${`${number}`.padStart(10, '0')}.jnl`)!;
    const at = random(smallShape.fileBytes - lengthBytes);
    const before = bytes.slice(at, at + lengthBytes);
    bytes.fill(0, at, at + lengthBytes);
    expect(complaints(readBack(disk), expected), `zeros from ${number}:${at} on`).toEqual([]);
    bytes.set(before, at);
  }
});

test('a journal of another version is an error that says so, and is left as it is', async () => {
  const disk = await journalOf(9);
  for (const [path, bytes] of disk.files()) {
    if (!path.endsWith('.jnl')) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += 4096)
      if (view.getUint32(at + magicAt, true) === blockMagic) bytes[at + versionAt] = 77;
  }
  expect(() => readBack(disk)).toThrow(/jnl has version 77: this is for version \d+/);
});

test('a journal without one of its files is reported', async () => {
  const disk = await journalOf(9);
  const numbers = journalNumbers(disk.namesNow('/journal/0')).slice(0, -2);
  const expected = readBack(disk);
  const needed = numbers.filter((number) => number * smallShape.fileBytes >= expected.begin);
  expect(needed.length).toBeGreaterThan(1);
  for (const number of needed) {
    const lacking = disk.copy();
    lacking
      .files()
      .get(`/journal/0/${`${number}`.padStart(10, '0')}.jnl`)!
      .fill(0);
    const found = readBack(lacking);
    expect(complaints(found, expected), `without file ${number}`).toEqual([]);
    expect(found.damages).not.toEqual([]);
  }
});
