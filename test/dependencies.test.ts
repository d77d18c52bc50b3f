import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const text = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const { dependencies, peerDependencies, devDependencies } = JSON.parse(text('package.json')) as Record<
  string,
  Record<string, string>
>;
/** The names in the first column of every table, table by table. */
const tables = text('docs/DEPENDENCIES.md')
  .split(/^\|---\|---\|$/m)
  .slice(1)
  .map((table) =>
    [...table.matchAll(/^\| (`[^|]+) \| \S/gm)].flatMap(([, names]) => names!.replaceAll('`', '').split(', ')),
  );

test('every dependency is there for a reason that is written down, and none that is not', () => {
  expect(tables.map((names) => [...names].sort())).toEqual(
    [dependencies, peerDependencies, devDependencies].map((packages) => Object.keys(packages!).sort()),
  );
});
