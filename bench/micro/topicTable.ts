import { Span } from '../../src/base/span.js';
import { Topic } from '../../src/router/topic.js';
import { TopicTable } from '../../src/router/topicTable.js';
import { keep, type Pair } from './pair.js';

const lookups = 1_000;
const topics = 10_000;

/** Looks up subjects as they lie in what was read, in a table of 10,000; `missing` shares no subject with it. */
function pairOf(name: string, subjects: readonly string[], missing: boolean): Pair {
  const table = new TopicTable(
    1,
    (subject, slot, serial, hash) => new Topic(subject, '', slot, serial, hash, 'literal', 0),
    () => {},
  );
  const map = new Map<string, object>();
  for (let i = 0; i < topics; i++) {
    const span = new Span(new Uint8Array(Buffer.from(`prices.${i}`)));
    table.obtain(span, 0, span.bytes.length);
    map.set(`prices.${i}`, {});
  }
  const text = Array.from({ length: lookups }, (_, i) => subjects[i % subjects.length]);
  const input = Buffer.from(text.join(' '));
  const read = new Span(new Uint8Array(input));
  const ends: number[] = [];
  for (const subject of text) ends.push((ends.at(-1) ?? -1) + 1 + (subject as string).length);
  const singles = text as string[];
  return {
    name,
    baseline: 'toString, Map<string>',
    messages: lookups,
    ours() {
      let found = 0;
      if (missing) for (const single of singles) found += table.find(single) === null ? 0 : 1;
      else {
        let start = 0;
        for (const end of ends) {
          found += table.obtain(read, start, end).slot;
          start = end + 1;
        }
      }
      keep(found);
    },
    naive() {
      let found = 0;
      let start = 0;
      for (const end of ends) {
        found += map.get(input.toString('latin1', start, end)) === undefined ? 0 : 1;
        start = end + 1;
      }
      keep(found);
    },
  };
}

export const topicTablePairs = (): Pair[] => [
  pairOf('subjects: same', ['prices.7'], false),
  pairOf(
    'subjects: 1,000 rotating',
    Array.from({ length: 1_000 }, (_, i) => `prices.${i * 7}`),
    false,
  ),
  pairOf(
    'subjects: missing',
    Array.from({ length: 1_000 }, (_, i) => `trades.${i}`),
    true,
  ),
];
