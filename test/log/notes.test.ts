import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AssertionError } from '../../src/base/assert.js';
import { JournalMemory } from '../../src/base/kernel.js';
import { compactionSpareFiles, journalPageBytes, journalSpareFilesMax } from '../../src/base/limits.js';
import {
  blockLengthAt,
  blockMagic,
  blockVersion,
  blockVersionMin,
  checkAt,
  journalAt,
  magicAt,
  paged,
  positionAt,
  previousAt,
  versionAt,
} from '../../src/log/blockLayout.js';
import { journalNumbers, journalPath } from '../../src/log/journalFiles.js';
import { snapshotNames } from '../../src/log/snapshotFile.js';
import type { NoteKind } from '../../src/log/storage.js';
import { getWord } from '../../src/log/words.js';
import { randomFrom } from '../sim/random.js';
import { smallShape } from './durableRun.js';
import { NoteSite, type NotingOwner } from './noteSite.js';
import { readBack } from './readBack.js';
import { StreamState } from './streamModel.js';

// Invariants 41, 45, 48 and 53 of docs/INVARIANTS.md.

/** More for a longer look: `NOTE_RUNS=1000 npx vitest run test/log/notes.test.ts`. */
const runs = Number(process.env.NOTE_RUNS ?? 25);

/** The file in use, the next one, and those that are kept for later. */
const otherFiles = 2 + compactionSpareFiles + journalSpareFilesMax;

type Step =
  | { readonly does: 'note'; readonly key: number; readonly kind: NoteKind; readonly bytes: number }
  | { readonly does: 'append'; readonly bytes: number }
  | { readonly does: 'remove' | 'acknowledge'; readonly which: number }
  | { readonly does: 'wait' | 'stop' | 'kill' | 'upgrade' };

const length = fc.oneof({ weight: 5, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.nat(9_000) });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('note' as const),
      key: fc.nat(4),
      kind: fc.constantFrom<NoteKind>('whole', 'change', 'change', 'change', 'end'),
      bytes: length,
    }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('append' as const), bytes: length }) },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constantFrom('remove' as const, 'acknowledge' as const), which: fc.nat(9) }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('wait' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('stop' as const, 'kill' as const, 'upgrade' as const) }) },
);

let texts = 0;
const textOf = (bytes: number) => `${texts++};`.padEnd(bytes, '-');

function note(owner: NotingOwner, key: number, kind: NoteKind, bytes: number): void {
  const isKnown = owner.notes.has(key);
  const fits = isKnown && owner.notes.get(key)!.length + bytes < 15_000;
  const allowed = kind === 'change' && !fits ? 'whole' : kind === 'end' && !isKnown ? 'whole' : kind;
  owner.note(key, allowed, allowed === 'end' ? '' : textOf(bytes));
}

/** Removes some of the first records, and notes that: both or neither. */
function acknowledge(owner: NotingOwner, which: number): void {
  const removed = [...owner.records.keys()].slice(0, 1 + (which % 3));
  const text = textOf(20);
  owner.storage!.together(removed.length + 1, text.length);
  for (const sequence of removed) owner.remove(sequence);
  note(owner, 0, 'whole', 20);
}

async function carryOut(site: NoteSite, { does, ...step }: Step): Promise<void> {
  const { owner } = site;
  const { key, kind, bytes, which } = step as { key: number; kind: NoteKind; bytes: number; which: number };
  if (does === 'note') note(owner, key, kind, bytes);
  else if (does === 'append') owner.append(textOf(bytes));
  else if (does === 'acknowledge') acknowledge(owner, which);
  else if (does === 'remove') {
    const sequences = [...owner.records.keys()];
    if (sequences.length > 0) owner.remove(sequences[which % sequences.length]!);
  } else await site.drive();
  if (does === 'note' || does === 'append' || does === 'acknowledge' || does === 'remove' || does === 'wait') return;
  if (does === 'kill') site.kill();
  else await site.stop();
  await site.start(does !== 'upgrade');
  same(site.owner, owner, does);
}

function same(found: NotingOwner, expected: NotingOwner, what: string): void {
  expect([...found.notes].sort(), what).toEqual([...expected.notes].sort());
  expect([...found.records].sort(), what).toEqual([...expected.records].sort());
}

test.each([false, true])(
  'whatever is noted, an owner knows it again: behind a stop, a kill, and when it cannot read what it had laid out (buffered: %s)',
  { timeout: 0 },
  async (buffered) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(step, { minLength: 20, maxLength: 150 }), async (seed, steps) => {
        const site = await NoteSite.open(seed, buffered);
        for (const each of steps) await carryOut(site, each);
        await carryOut(site, { does: 'wait' });
        await carryOut(site, { does: 'kill' });
        await carryOut(site, { does: 'stop' });
        expect(site.damages).toEqual([]);
      }),
      { numRuns: runs },
    );
  },
);

test('thousands of keys and changes without end take a few files: each key is written anew before its file is used again', async () => {
  const site = await NoteSite.open(1);
  const { owner } = site;
  const random = randomFrom(2);
  const keys = 3_000;
  for (let key = 0; key < keys; key++) {
    owner.note(key, 'whole', `k${key};`);
    if (key % 40 === 0) await site.drive();
  }
  await site.drive();
  const keptFiles = (2 * keys * 48) / smallShape.fileBytes;
  let longest = 0;
  for (let round = 0; round < 900; round++) {
    for (let i = 0; i < 4; i++) owner.note(random(keys), 'change', `${round % 10}`);
    await site.drive();
    longest = Math.max(longest, site.files);
  }
  expect(owner.renoted).toBeGreaterThan(2 * keys);
  expect(readBack(site.disk).end).toBeGreaterThan(60 * smallShape.fileBytes);
  expect(longest).toBeLessThanOrEqual(Math.ceil(keptFiles) + otherFiles + 3);
  for (const does of ['kill', 'stop', 'upgrade'] as const) await carryOut(site, { does });
});

test('a key that ends holds no file, and neither do those of a stream that is removed', async () => {
  const site = await NoteSite.open(3);
  const { owner, storage } = site;
  owner.note(1, 'whole', 'one');
  await site.drive();
  const [first] = storage.notes!.between(0, Number.POSITIVE_INFINITY);
  owner.note(1, 'end', '');
  expect(storage.notes!.keys).toBe(0);
  expect(storage.notes!.keptBytes).toBe(0);
  const other = await site.drive(site.storages.create('other', '', 1));
  other.note(7, 'whole', new Uint8Array(10));
  await site.drive();
  await site.drive(site.storages.destroy('other'));
  for (let i = 0; i < 30; i++) {
    owner.append('z'.repeat(9_000));
    owner.remove(storage.nextSequence - 1);
    await site.drive();
  }
  expect(owner.renoted).toBe(0);
  expect(readBack(site.disk).begin).toBeGreaterThan(first![1]);
});

test('a kill at any time while notes are written anew leaves all of them', async () => {
  const site = await NoteSite.open(5);
  const { owner } = site;
  for (let key = 0; key < 200; key++) owner.note(key, 'whole', `k${key};`.padEnd(200, '.'));
  for (let key = 0; key < 200; key += 3) owner.note(key, 'change', 'c');
  await site.drive();
  const random = randomFrom(9);
  let looked = 0;
  while (looked < 150) {
    owner.append('z'.repeat(4_000));
    owner.remove(owner.storage!.nextSequence - 1);
    while (owner.storage!.committed < owner.storage!.position) {
      await site.step();
      // what was written anew says what was there
      const images = [site.disk.copy(), site.disk.crashed(random)];
      if (owner.renoted === 0) continue;
      for (const image of images) {
        const { notes } = readBack(image).streams.get('s')!.state;
        expect(new StreamState(1, new Map(), notes).equals(new StreamState(1, new Map(), owner.notes))).toBe(true);
        looked++;
      }
    }
  }
});

test('a full disk takes notes as it takes removals, and few of them keep no file that it waits for', async () => {
  const site = await NoteSite.open(7);
  const { owner, storage } = site;
  for (const key of [1, 2]) owner.note(key, 'whole', 'w');
  await site.drive();
  site.disk.capacityBytes = 4.5 * smallShape.fileBytes;
  // so much that nothing is copied
  storage.keptBytes = 1e9;
  const rest = async () => {
    for (let steps = 0; steps < 40; steps++) await site.step();
  };
  for (let i = 0; i < 40 && storage.intake !== 'full'; i++) {
    owner.append('z'.repeat(9_000));
    await rest();
  }
  expect(storage.intake).toBe('full');
  expect(owner.renoted).toBe(0);
  while (owner.records.size > 2) {
    storage.together(2, 1);
    owner.remove(storage.firstSequence);
    owner.note(1, 'change', 'c');
    await rest();
    expect(storage.committed).toBe(storage.position);
  }
  expect(storage.intake).toBe('open');
  expect(owner.renoted).toBeGreaterThan(1);
  expect(storage.notes!.liesFrom(smallShape.fileBytes)).toBe(true);
  // where it has come to an end
  const { position } = storage;
  await site.drive();
  expect(storage.position).toBe(position);
  site.disk.capacityBytes = Number.POSITIVE_INFINITY;
  await carryOut(site, { does: 'kill' });
});

test('a note of whatever length fits beside as many removals as can last together', async () => {
  const site = await NoteSite.open(11);
  const { owner, storage } = site;
  const count = storage.togetherMax - 1;
  for (let i = 0; i < count; i++) owner.append('');
  await site.drive();
  const text = 'x'.repeat(storage.noteBytesMax);
  storage.together(count + 1, text.length);
  const sequences = [...owner.records.keys()].slice(0, count);
  for (const sequence of sequences) owner.remove(sequence);
  owner.note(3, 'whole', text);
  const [before, block] = [storage.committed, storage.latestBlock];
  expect(block).toBeGreaterThan(0);
  // all of it comes with one commit
  const seen = new Set<number>();
  storage.events = { onCommitted: () => seen.add(storage.committed), onFailed: ({ reason }) => expect.fail(reason) };
  await site.drive();
  expect([...seen]).toEqual([before + count + 1]);
  expect(() => storage.note(3, 'change', new Uint8Array(storage.noteBytesMax + 1))).toThrow(AssertionError);
  for (const does of ['kill', 'stop', 'upgrade'] as const) await carryOut(site, { does });
});

test('notes that a disk has lost are written anew by an owner that knows them still', async () => {
  const site = await NoteSite.open(13);
  const { owner, storage } = site;
  for (const key of [1, 2]) owner.note(key, 'whole', `k${key};`);
  await site.drive();
  owner.note(1, 'change', 'c;');
  await site.drive();
  storage.keptBytes = 1e9;
  for (let i = 0; i < 12; i++) {
    owner.append('z'.repeat(9_000));
    await site.drive();
  }
  const { first, end } = site.storages.sealedFiles!;
  expect(end).toBeGreaterThan(first + 1);
  const [, position] = storage.notes!.between(0, Number.POSITIVE_INFINITY)[0]!;
  const path = `${site.directory}/${`${first}`.padStart(10, '0')}.jnl`;
  site.disk
    .files()
    .get(path)!
    .fill(0, position - first * smallShape.fileBytes, smallShape.fileBytes);
  const bytes = smallShape.fileBytes - (position % smallShape.fileBytes);
  expect(site.storages.onScrubbed([{ position, bytes }])).toBe(1);
  await site.drive();
  expect(owner.renoted).toBe(2);
  site.kill();
  await site.start();
  expect(site.damages).not.toEqual([]);
  expect([...site.owner.notes].sort()).toEqual([...owner.notes].sort());
});

test('a stream without notes takes no memory for them', async () => {
  const site = await NoteSite.open(17);
  site.owner.append('one');
  await site.drive();
  expect(site.storage.notes).toBeNull();
  const before = site.storage.memoryBytes;
  site.owner.note(1, 'whole', '');
  expect(site.storage.memoryBytes).toBeGreaterThan(before);
  await carryOut(site, { does: 'stop' });
});

/** Makes all blocks of a journal what an older version would have written. */
function asVersion(site: NoteSite, version: number): void {
  const { directory, disk } = site;
  const memory = new JournalMemory(128 * 1024);
  let previous: Uint8Array | null = null;
  for (const number of journalNumbers(disk.namesNow(directory))) {
    const bytes = disk.files().get(journalPath(directory, number))!;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const isBlock = view.getUint32(at + magicAt, true) === blockMagic;
      if (!isBlock || getWord(view, at + positionAt) !== number * smallShape.fileBytes + at) {
        at += journalPageBytes;
        continue;
      }
      view.setUint16(at + versionAt, version, true);
      if (previous !== null) bytes.set(previous, at + previousAt);
      const length = view.getUint32(at + blockLengthAt, true);
      memory.bytes.set(bytes.subarray(at, at + length));
      memory.hash64(magicAt, length - magicAt, journalAt, checkAt);
      previous = memory.bytes.slice(checkAt, checkAt + 8);
      bytes.set(previous, at + checkAt);
      at += paged(length);
    }
  }
  for (const name of Object.values(snapshotNames)) disk.files().get(`${directory}/${name}`)?.fill(0);
}

test('a journal of the version before, which has no notes, is read, and goes on with notes', async () => {
  const site = await NoteSite.open(19);
  site.storage.keptBytes = 1e9;
  for (let i = 0; i < 30; i++) {
    site.owner.append('z'.repeat(3_000));
    if (i % 4 === 0) site.owner.remove(site.storage.firstSequence);
    await site.drive();
  }
  await site.stop();
  asVersion(site, blockVersionMin);
  expect(blockVersionMin).toBeLessThan(blockVersion);
  const { owner } = site;
  await site.start();
  same(site.owner, owner, 'an older version');
  for (const does of ['kill', 'stop', 'upgrade'] as const) {
    site.owner.note(1, site.owner.notes.has(1) ? 'change' : 'whole', `${does};`);
    site.owner.append(does);
    await carryOut(site, { does: 'wait' });
    await carryOut(site, { does });
  }
  expect(site.damages).toEqual([]);
});
