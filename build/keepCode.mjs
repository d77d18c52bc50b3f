// Keeps what V8 makes of the programs of a broker beside them: of what runs from a start over a client to a stop, and not only of
// what is compiled before anything runs. Most of what a start would take is to compile that (docs/decisions/0019).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const startMsMax = 30_000;

const keeper = new URL('codeKeeper.cjs', import.meta.url).pathname;

/** Commands that load what all do; the last is the one that most are like. */
const commands = [
  ['stream', 'ls'],
  ['sub', 'a', '--quiet', '--timeout', '0.001'],
  ['pub', 'a', 'x'],
];

/**
 * Runs a broker of two shards, so that they speak to each other, one client, and some commands; `codeKeeper.cjs` writes what that has compiled,
 * each run's beside that of the run before.
 */
export async function keepCode() {
  const folder = mkdtempSync(join(tmpdir(), 'shardcast-build-'));
  const portsFile = join(folder, 'ports.json');
  const given = ['--port', '0', '--shards', '2', '--ports-file', portsFile];
  const broker = runKept('serve', ...given);
  const ended = once(broker, 'exit');
  try {
    const port = await portOf(portsFile, broker);
    await speak(port);
    for (const command of commands) await once(runKept(...command, '--server', `nats://127.0.0.1:${port}`), 'exit');
    broker.kill('SIGTERM');
    const [code] = await ended;
    if (code !== 0) throw new Error(`the broker whose code is to be kept ended with ${code}`);
  } finally {
    broker.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

function runKept(...args) {
  return spawn(process.execPath, ['--require', keeper, 'dist/src/cli/main.js', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: withoutOptions(process.env),
  });
}

/** Who builds may have options for a broker of theirs, such as its data. */
function withoutOptions(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SHARDCAST_')));
}

async function portOf(portsFile, broker) {
  for (
    const lateMs = performance.now() + startMsMax;
    performance.now() < lateMs && broker.exitCode === null;
    await sleep(5)
  )
    if (existsSync(portsFile)) return Number(new URL(JSON.parse(readFileSync(portsFile, 'utf8')).nats[0]).port);
  throw new Error('the broker whose code is to be kept does not start');
}

/** What every client does first, until it has its own message back. */
async function speak(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.write('CONNECT {"verbose":false}\r\nPING\r\nSUB a 1\r\nPUB a 1\r\nx\r\n');
  let told = '';
  for await (const bytes of socket) {
    told += bytes;
    if (told.includes('MSG a 1 1\r\nx\r\n')) break;
  }
}
