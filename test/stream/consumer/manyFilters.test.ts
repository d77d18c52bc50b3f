import { expect, test } from 'vitest';
import type { StreamContents } from '../../../src/stream/contents.js';
import { FilteredMessages } from '../../../src/stream/filteredMessages.js';

// Requests name thousands of filters, and each subject is looked at for all of them at once.

const contents = {} as StreamContents;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

test.each([1, 8, 9, 200])('%i filters take what one of them takes', (count) => {
  const filters = numbers(count).map((i) => (i % 3 === 0 ? `a.${i}` : i % 3 === 1 ? `b.*.${i}` : `$c.${i}.>`));
  const filtered = new FilteredMessages(contents, filters);
  for (const i of numbers(count + 3)) {
    expect(filtered.takes(`a.${i}`)).toBe(i < count && i % 3 === 0);
    expect(filtered.takes(`b.x.${i}`)).toBe(i < count && i % 3 === 1);
    expect(filtered.takes(`$c.${i}.y.z`)).toBe(i < count && i % 3 === 2);
    for (const none of [`a.${i}.x`, `b.${i}`, `$c.${i}`, `d.${i}`]) expect(filtered.takes(none)).toBe(false);
  }
  expect(new FilteredMessages(contents, [...filters, '>']).takes('x')).toBe(true);
});
