import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../dist/test/life/clusterWorker.js', import.meta.url));

test('two workers of a cluster do not share a port: the second is told that it is taken', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  expect(stdout).toBe('listens\nEADDRINUSE\n');
});
