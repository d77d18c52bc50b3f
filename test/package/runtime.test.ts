import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { oldestNode, whyUnsupported } from '../../src/base/runtime.js';
import { node, root } from './packed.js';

const needed = `Shardcast needs Node ${oldestNode} or later, on Linux or macOS`;

const elsewhere: readonly [versions: Record<string, string>, platform: string, told: string][] = [
  [{ node: '18.20.8' }, 'linux', `${needed}; this is Node 18.20.8`],
  [{ node: '20.18.3' }, 'linux', `${needed}; this is Node 20.18.3`],
  [{ node: '24.3.0', bun: '1.3.1' }, 'linux', `${needed}; this is Bun 1.3.1`],
  [{ node: '24.2.0', deno: '2.5.6' }, 'darwin', `${needed}; this is Deno 2.5.6`],
  [{ node: '24.0.0' }, 'win32', `${needed}; on Windows it runs in WSL 2`],
  [{}, 'linux', needed],
];

test.each(elsewhere)('%j on %s', (versions, platform, told) => {
  expect(whyUnsupported(versions, platform)).toBe(told);
});

test.each(['20.19.0', '20.20.1', '21.0.0', '22.0.0', '26.1.0', '100.0.0', '24.0.0-nightly'])(
  'Node %s will do',
  (version) => {
    expect(whyUnsupported({ node: version }, 'linux')).toBe(null);
    expect(whyUnsupported({ node: version }, 'darwin')).toBe(null);
  },
);

describe.each(elsewhere)('where it cannot run: %j on %s', (versions, platform, told) => {
  const pretend = `
    Object.defineProperty(process, 'versions', { value: ${JSON.stringify(versions)} });
    Object.defineProperty(process, 'platform', { value: ${JSON.stringify(platform)} });`;
  const pretending = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`];

  test.each([['serve'], ['sub', 'x'], ['--version']])(
    'the command line says so in one line, and ends with 2: %s',
    (...args) => {
      expect(node([...pretending, 'dist/src/cli/main.js', ...args])).toEqual({
        code: 2,
        stdout: '',
        stderr: `shardcast: ${told}\n`,
      });
    },
  );

  test('the API says so', () => {
    const program = `
      import { startBroker, connectBroker } from 'shardcast';
      for (const call of [startBroker, connectBroker]) {
        const { name, code, message } = await call().catch((error) => error);
        console.log(name, code, message);
      }`;
    const { stdout, stderr } = node([...pretending, '--input-type=module', '-e', program]);
    expect(stderr).toBe('');
    expect(stdout).toBe(`UnsupportedError UNSUPPORTED ${told}\n`.repeat(2));
  });
});

test('the entry of the command line loads nothing before it knows, and old Node can read it', () => {
  const entry = readFileSync(join(root, 'dist/src/cli/main.js'), 'utf8');
  expect(entry).not.toMatch(/^(import|export) /m);
  expect(entry).toContain('whyUnsupported(process.versions, process.platform)');
  // syntax that came after Node 12
  expect(entry).not.toMatch(/\?\?|\?\.|^await |[^.]#\w|\d_\d|static \{/m);
});

test('a Node that cannot load scripts from a module serves as well', () => {
  const older = `data:text/javascript,${encodeURIComponent('process.getBuiltinModule = undefined;')}`;
  const { code, stderr } = node(['--import', older, 'dist/src/cli/main.js', 'serve', '--max-payload', 'x']);
  expect(stderr).toMatch(/^shardcast: --max-payload: "x" is not allowed/);
  expect(code).toBe(2);
});
