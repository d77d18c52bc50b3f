import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../compare/broker.js';
import { ServerProcess, temporaryDirectory } from '../compare/childProcesses.js';

/** How long a server took until it greeted a client, and the CPU time of all its threads by then, in ms. */
export interface Start {
  readonly greetedMs: number;
  readonly cpuMs: number;
}

const startMsMax = 15_000;

/** Starts a server that speaks NATS on a free port, measures until its first INFO, and ends it. */
export async function startOnce(command: string, args: (port: number) => string[]): Promise<Start> {
  const port = await freePort();
  const begunMs = performance.now();
  const server = new ServerProcess(temporaryDirectory(), command, args(port));
  try {
    while (!(await isGreeted(port))) {
      if (server.ended || performance.now() - begunMs > startMsMax) throw new Error(`no start: ${server.logTail()}`);
      await sleep(1);
    }
    return { greetedMs: performance.now() - begunMs, cpuMs: cpuMs(server.pid) };
  } finally {
    await server.stop(startMsMax);
  }
}

/** Whether a connection is taken and told INFO. */
function isGreeted(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const settle = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.once('error', () => settle(false));
    socket.once('data', (bytes) => settle(bytes.toString('latin1').startsWith('INFO ')));
  });
}

/** Time on a core so far, of all threads of a process. */
function cpuMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    return sum + Number(nanoseconds) / 1e6;
  }, 0);
}
