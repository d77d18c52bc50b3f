import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { codeCacheFile, compileProgram } from '../../src/broker/codeCache.js';

const folder = mkdtempSync(join(tmpdir(), 'shardcast-test-'));
const program = join(folder, 'program.cjs');
const moduleUrl = new URL('../../dist/src/broker/codeCache.js', import.meta.url);
const built = (path: string) => new URL(`../../dist/src/${path}`, import.meta.url).pathname;

afterAll(() => rmSync(folder, { recursive: true }));

/** What a process of its own says: V8 refuses what was kept where its flags are others, and tests set some. */
function said(code: string): string {
  const script = `import { codeCacheFile, compileProgram, runProgram } from '${moduleUrl}'; ${code}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim();
}

test.each(['threads/shardProgram.cjs', 'cli/serveProgram.cjs', 'cli/commandProgram.cjs'])(
  'V8 takes what the build has kept of %s',
  (path) => {
    const file = JSON.stringify(built(path));
    const code = `const kept = (await import('node:fs')).readFileSync(codeCacheFile(${file}));`;
    expect(said(`${code} console.log(compileProgram(${file}, kept).cachedDataRejected)`)).toBe('false');
  },
);

test('what was kept holds what a start runs, and not only what is compiled before it', () => {
  const file = JSON.stringify(built('threads/shardProgram.cjs'));
  const code = `const kept = (await import('node:fs')).readFileSync(codeCacheFile(${file})).length;`;
  const less = Number(said(`${code} console.log(compileProgram(${file}).createCachedData().length / kept)`));
  expect(less).toBeLessThan(0.9);
});

test.each([
  ['what was kept', () => compileProgram(program).createCachedData()],
  ['nothing that was kept', () => null],
  ['what is no code', () => Buffer.from('not what V8 has made')],
])('a program runs with %s', (_, made) => {
  writeFileSync(program, "console.log(require('./other.cjs') + (typeof module.exports)); exports.two = 2;");
  writeFileSync(join(folder, 'other.cjs'), "module.exports = 'other '");
  rmSync(codeCacheFile(program), { force: true });
  const kept = made();
  if (kept !== null) writeFileSync(codeCacheFile(program), kept);
  expect(said(`console.log(runProgram(${JSON.stringify(program)}).two)`)).toBe('other object\n2');
});
