import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** A command that could not be run, failed, took too long or printed too much. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface CommandLimits {
  /** Variables beside our own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly bytesMax: number;
}

/**
 * Runs a shell command with `input` on its standard input; its standard error is ours.
 *
 * @returns what it printed
 * @throws CommandError
 */
export function runCommand(line: string, input: Uint8Array, limits: CommandLimits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    // A group of its own, so that what the shell started ends with it, and Ctrl-C lets it finish.
    const child = start(line, limits.env);
    const fail = (message: string) => {
      reject(new CommandError(message));
      if (child.pid !== undefined && child.exitCode === null) killGroup(child.pid);
    };
    const timer = setTimeout(() => fail(`the command took longer than ${limits.timeoutMs} ms`), limits.timeoutMs);
    child.on('error', (error) => fail(`the command cannot be run: ${error.message}`));
    // A command need not read its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limits.bytesMax) fail(`the command printed more than ${limits.bytesMax} bytes`);
      else chunks.push(chunk);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(Buffer.concat(chunks));
      else fail(`the command ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** @throws CommandError */
function start(line: string, env: CommandLimits['env']): ChildProcessByStdio<Writable, Readable, null> {
  try {
    return spawn(line, {
      shell: true,
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
  } catch (error) {
    // what cannot stand in a variable, or that there are no more descriptors, is told at once
    throw new CommandError(`the command cannot be run: ${(error as Error).message}`);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
