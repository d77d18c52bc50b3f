import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, startServe, temporaryFolder } from './harness.js';

describe('a running broker', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('stops with 0 on %s', async (signal) => {
    const { serve } = await startServe();
    expect(await serve.endWith(signal)).toEqual({ code: 0, signal: null });
    expect(serve.stdout).toContain('"msg":"stopped"');
    expect(serve.stderr).toBe('');
  });

  it('stops with 0 on SIGUSR2, as a lame duck', async () => {
    const { serve } = await startServe('--lame-duck-duration', '20ms', '--lame-duck-grace-period', '10ms');
    expect(await serve.endWith('SIGUSR2')).toEqual({ code: 0, signal: null });
    expect(serve.stdout).toContain('lame duck');
  });

  it('takes what it can from a changed file on SIGHUP, and says what needs a restart', async () => {
    const file = join(temporaryFolder(), 'broker.yaml');
    writeFileSync(file, 'max_payload: 1MB\n');
    const { serve } = await startServe('--config', file);
    writeFileSync(file, 'max_payload: 2MB\norder: publisher\n');
    serve.child.kill('SIGHUP');
    await serve.until('stdout', '"msg":"these options need a restart"');
    expect(serve.stdout).toContain('"changed":["max_payload"],"msg":"reloaded"');
    expect(serve.stdout).toContain('"refused":["order"]');
  });

  it('keeps its options when the file is broken on SIGHUP', async () => {
    const file = join(temporaryFolder(), 'broker.yaml');
    writeFileSync(file, '');
    const { serve, url } = await startServe('--config', file);
    writeFileSync(file, 'max_payload: huge\n');
    serve.child.kill('SIGHUP');
    await serve.until('stdout', 'not reloaded');
    expect(serve.stdout).toContain(`${file}:1: max_payload:`);
    expect((await runCli(['pub', 'a', 'x', '--server', url])).code).toBe(0);
  });
});

describe('SIGUSR1', () => {
  const isCaught = (pid: number, signal: 'SIGUSR1' | 'SIGUSR2'): boolean => {
    const caught = /SigCgt:\s+([0-9a-f]+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] as string;
    return (BigInt(`0x${caught}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
  };

  it('never opens the inspector: neither while the broker starts nor when it is up', async () => {
    const serve = startCli(['serve', '--port', '0']);
    // which Node has no handler for
    while (!isCaught(serve.child.pid as number, 'SIGUSR2'));
    for (const signal of ['SIGUSR1', 'SIGHUP', 'SIGUSR1'] as const) serve.child.kill(signal);
    await serve.until('stdout', '"msg":"reloaded: no changes"');
    await serve.until('stdout', 'there is no log file to reopen');
    serve.child.kill('SIGUSR1');
    expect(await serve.endWith('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(serve.stderr).toBe('');
  });

  it('leaves no inspector open that Node has opened before any of our code could run', async () => {
    const serve = startCli(['serve', '--port', '0'], { NODE_OPTIONS: '--inspect-port=0' });
    while (!isCaught(serve.child.pid as number, 'SIGUSR1'));
    serve.child.kill('SIGUSR1');
    await serve.until('stdout', 'listening');
    const port = /Debugger listening on ws:\/\/127.0.0.1:(\d+)/.exec(serve.stderr)?.[1];
    if (port !== undefined)
      await expect(once(connect(Number(port), '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
    expect(await serve.endWith('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

describe('signals before the broker is up', () => {
  const script = (rest: string) => {
    const module = new URL('../../dist/src/cli/serveSignals.js', import.meta.url);
    return `
      const { ServeSignals } = await import(${JSON.stringify(module.href)});
      let nowMs = 0;
      const signals = new ServeSignals(() => nowMs);
      setInterval(() => {}, 1000);
      process.on('SIGTERM', () => console.log('seen'));
      console.log('ready');
      ${rest}`;
  };

  /** Sends SIGTERM twice, the second when the first has been seen; the script sets the time between them. */
  async function twice(rest: string): Promise<unknown[]> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script(rest)]);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    return await once(child, 'exit');
  }

  it('are kept: a second stop ends the process at once, with 128 and its number', async () => {
    expect(await twice(`process.on('SIGTERM', () => (nowMs += 1000));`)).toEqual([143, null]);
  });

  it('are kept: what comes within a second is no second one, and all are delivered', async () => {
    const rest = `
      let seen = 0;
      process.on('SIGTERM', () => {
        nowMs += 999;
        if (++seen < 2) return;
        const all = [];
        signals.deliverTo((signal, atMs) => all.push(signal + atMs));
        process.exit(all.join() === 'SIGTERM0,SIGTERM999' ? 7 : 1);
      });`;
    expect(await twice(rest)).toEqual([7, null]);
  });
});
