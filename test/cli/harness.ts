import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface Ports {
  readonly pid: number;
  readonly nats: readonly string[];
  readonly monitoring: readonly string[];
  readonly websocket: readonly string[];
  readonly jsonl: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A run of the command line that a test can watch. It ends with the test at the latest. */
export class CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], { env: cleanEnvironment(env) });
    this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve({ code, signal })));
    this.child.stdin?.on('error', () => {});
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** Resolves once the stream has held the text. Rejects when the process ends without it. */
  async until(stream: 'stdout' | 'stderr', text: string): Promise<void> {
    const isOver = this.ended.then(() => true);
    while (!this[stream].includes(text)) {
      const isEnded = await Promise.race([once(this.child[stream]!, 'data').then(() => false), isOver]);
      if (isEnded && !this[stream].includes(text)) {
        throw new Error(`ended without ${JSON.stringify(text)}: ${this.stdout}${this.stderr}`);
      }
    }
  }

  async endWith(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** Starts a command that the test will watch. */
export function startCli(args: readonly string[], env: Record<string, string> = {}): CliProcess {
  const cli = new CliProcess(args, env);
  onTestFinished(async () => {
    cli.child.kill('SIGKILL');
    await cli.ended;
  });
  return cli;
}

/** Runs a command to its end. Its standard input is `input`, and ends there. */
export async function runCli(
  args: readonly string[],
  { input = '', env = {} }: { input?: string | Uint8Array; env?: Record<string, string> } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const cli = startCli(args, env);
  cli.child.stdin?.end(input);
  const { code } = await cli.ended;
  return { code, stdout: cli.stdout, stderr: cli.stderr };
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shardcast-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a broker on a free port and waits until it listens. */
export async function startServe(
  ...args: readonly string[]
): Promise<{ serve: CliProcess; url: string; ports: Ports; portsFile: string }> {
  const portsFile = join(temporaryFolder(), 'ports.json');
  const serve = startCli(['serve', '--port', '0', '--ports-file', portsFile, ...args]);
  await serve.until('stdout', 'listening');
  const ports: Ports = JSON.parse(readFileSync(portsFile, 'utf8'));
  return { serve, url: ports.nats[0]!, ports, portsFile };
}

/** A server that greets whoever connects and answers nothing behind that; returns its URL. It is gone after the test. */
export async function startSilentServer(): Promise<string> {
  const info = JSON.stringify({ server_id: 'x', version: '2.10.0', proto: 1, max_payload: 1024, headers: true });
  const silent = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`INFO ${info}\r\n`);
    // only the PING that comes with CONNECT
    socket.once('data', () => socket.write('PONG\r\n'));
  });
  silent.listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  return `nats://127.0.0.1:${(silent.address() as AddressInfo).port}`;
}

/** Our own variables, of whoever runs the tests, must not reach the command. */
function cleanEnvironment(env: Record<string, string>): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(SHARDCAST_|NATS_|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...env };
}
