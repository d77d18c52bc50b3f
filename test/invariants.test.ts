import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const root = new URL('..', import.meta.url);
const sections = readFileSync(new URL('docs/INVARIANTS.md', root), 'utf8').split(/^## /m).slice(1);

/** Whether a test says which invariant it is for: "Invariant 3", or among others "invariants 2, 3". */
function mentions(text: string, number: number): boolean {
  const lists = [...text.matchAll(/\binvariants? ((?:\d+(?:, | and )?)+)/gi)].map(([, list]) => list);
  return lists.some((list) => list.split(/, | and /).includes(`${number}`));
}

test('invariants are numbered from 1', () => {
  const numbers = sections.map((section) => Number(section.split('.')[0]));
  expect(numbers).toEqual(sections.map((_, i) => i + 1));
});

describe.each(sections.map((section, i) => [i + 1, section] as const))('invariant %i', (number, section) => {
  const files = [...section.slice(section.indexOf('\nTests: ')).matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file);

  test('names its tests', () => {
    expect(files).not.toEqual([]);
  });

  test.each(files)('%s exists and names it', (file) => {
    const url = new URL(file, root);
    expect(existsSync(url), 'it exists').toBe(true);
    expect(mentions(readFileSync(url, 'utf8'), number), `it mentions invariant ${number}`).toBe(true);
  });
});
