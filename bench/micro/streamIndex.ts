import { latin1Bytes } from '../../src/base/bytes.js';
import { placeOf } from '../../src/base/span.js';
import { MemoryStorage } from '../../src/log/memoryStorage.js';
import { RecordView } from '../../src/log/storage.js';
import { StreamContents } from '../../src/stream/contents.js';
import { StreamSearch } from '../../src/stream/search.js';
import type { Steps } from '../../src/stream/steps.js';
import { SubjectFilter } from '../../src/stream/subjectFilter.js';

const messages = 50_000_000;
const bytesEach = 30 + 10 + 128;

/** What a stream of 128 B messages is like: its subjects, and how many messages come at one time. */
const shapes = [
  { name: 'one subject', subjects: 1, perTime: 256 },
  { name: 'one subject, 1,000 messages/s', subjects: 1, perTime: 1 },
  { name: 'a million subjects', subjects: 1_000_000, perTime: 256 },
  { name: 'a million subjects, 1,000 messages/s', subjects: 1_000_000, perTime: 1 },
];

const header = [
  '50,000,000 messages',
  'MB counted',
  'MB resident',
  'bytes each',
  'ns to add',
  'ns to remove',
  'us to the next',
  '',
];

/** What the index of a stream takes, and how long its operations take. */
export async function streamIndexTable(): Promise<string[][]> {
  return [header, ...shapes.map(measured)];
}

/** Where nothing is kept of what is only entered. */
class ForgetfulStorage extends MemoryStorage {
  override remove(): void {}
}

function measured({ name, subjects, perTime }: (typeof shapes)[number]): string[] {
  const before = residentBytes();
  const contents = new StreamContents(new ForgetfulStorage(1));
  const texts = Array.from({ length: subjects }, (_, i) => `orders.${i}`);
  const places = texts.map((text) => placeOf(latin1Bytes(text)));
  const record = new RecordView();
  const textBytes = residentBytes() - before;
  const adding = performance.now();
  let seed = 1;
  for (let i = 1; i <= messages; i++) {
    // as random as it has to be: no run of one subject
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    const { span, start, end } = places[Math.floor((seed / 2 ** 32) * subjects)]!;
    record.span = span;
    record.subjectStart = start;
    record.subjectEnd = end;
    record.sequence = i;
    record.timeUs = 1.7e15 + Math.floor(i / perTime) * 1000;
    contents.enter(record, bytesEach);
  }
  const addedMs = performance.now() - adding;
  const resident = residentBytes() - before - textBytes;
  const counted = contents.memoryBytes;
  const nextUs = nextOf(contents, texts);
  const removing = performance.now();
  const removed = 1_000_000;
  for (let i = 1; i <= removed; i++) contents.remove(i);
  const removedMs = performance.now() - removing;
  const row = [
    counted / 1e6,
    resident / 1e6,
    counted / messages,
    (addedMs / messages) * 1e6,
    (removedMs / removed) * 1e6,
  ];
  return [name, ...[...row, nextUs].map((value) => value.toFixed(1)), ''];
}

/** How long it takes to go from a message to the next one of its subject, in microseconds. */
function nextOf(contents: StreamContents, texts: readonly string[]): number {
  const search = new StreamSearch(contents);
  const count = 100;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const from = 1 + Math.floor((i / count) * (messages / 2));
    finish(search.nextOf(new SubjectFilter(texts[(i * 7919) % texts.length]!), from));
  }
  return ((performance.now() - start) / count) * 1000;
}

function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}
