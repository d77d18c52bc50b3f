import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { type Ports, temporaryFolder } from './harness.js';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** A folder of a project that depends on ours. */
function dependent(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  symlinkSync(project, join(folder, 'node_modules/shardcast'));
  // npm makes it so that it can be run
  const bin = join(folder, 'node_modules/.bin/shardcast');
  writeFileSync(bin, `#!/bin/sh\nexec "${process.execPath}" "${join(project, 'dist/src/cli/main.js')}" "$@"\n`, {
    mode: 0o755,
  });
  writeFileSync(join(folder, 'package.json'), '{"name":"dependent","version":"1.0.0"}');
  return folder;
}

/** A broker that npm has started, with a client connected. */
async function startByNpm(command: string, args: readonly string[], cwd: string) {
  const folder = temporaryFolder();
  const portsFile = join(folder, 'ports.json');
  const options = ['--port', '0', '--shards', '2', '--ports-file', portsFile];
  // a group of its own, as a terminal gives each command
  const npm = spawn(command, [...args, ...options], { cwd, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  npm.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  // everything that has it open has ended then, the broker too
  const ended = once(npm.stdout, 'close');
  const ports = await portsOf(folder, portsFile);
  onTestFinished(() => killIfThere(ports.pid));
  const client = connect(Number(new URL(ports.nats[0] as string).port), '127.0.0.1').resume();
  const closed = once(client, 'close');
  client.on('error', () => {});
  client.write('CONNECT {"verbose":false}\r\nPING\r\n');
  await once(client, 'data');
  return {
    npm: npm as ChildProcess,
    /** Resolves when the client has been sent away and the broker has ended; with what it has logged. */
    end: async (): Promise<string[]> => {
      await Promise.all([closed, ended]);
      return output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line).msg as string] : []));
    },
  };
}

function portsOf(folder: string, file: string): Promise<Ports> {
  return new Promise((resolve) => {
    const look = (): void => {
      try {
        resolve(JSON.parse(readFileSync(file, 'utf8')));
        watcher.close();
      } catch {
        // not there yet
      }
    };
    const watcher = watch(folder, look);
    look();
  });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended, as it should
  }
}

it.each([
  ['npm start, SIGTERM to npm', 'SIGTERM', 1],
  ['npm start, Ctrl-C in a terminal', 'SIGINT', -1],
] as const)('%s: the broker drains, stops once, and npm ends with 0', async (_, signal, sign) => {
  const { npm, end } = await startByNpm('npm', ['start', '--'], project);
  const exited = once(npm, 'exit');
  process.kill(sign * (npm.pid as number), signal);
  expect((await end()).slice(-3)).toEqual(['listening', 'stopping', 'stopped']);
  expect(await exited).toEqual([0, null]);
});

it.each([
  ['SIGTERM to npx', 'SIGTERM', 1],
  ['Ctrl-C in a terminal', 'SIGINT', -1],
] as const)('npx shardcast, %s: the broker drains and stops once', async (_, signal, sign) => {
  const { npm, end } = await startByNpm('npx', ['shardcast', 'serve'], dependent());
  process.kill(sign * (npm.pid as number), signal);
  expect((await end()).slice(-3)).toEqual(['listening', 'stopping', 'stopped']);
});
