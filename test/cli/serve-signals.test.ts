import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startServe, temporaryFolder } from './harness.js';

describe('a running broker', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops with 0 on %s', async (signal) => {
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

describe('signals before the broker is up', () => {
  const script = (rest: string) => {
    const module = new URL('../../dist/src/cli/serve-signals.js', import.meta.url);
    return `
      const { ServeSignals } = await import(${JSON.stringify(module.href)});
      const signals = new ServeSignals();
      setInterval(() => {}, 1000);
      process.on('SIGTERM', () => console.log('seen'));
      console.log('ready');
      ${rest}`;
  };

  it('are kept: the second stop ends the process at once, with 128 and its number', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script('')]);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
  });

  it('are kept: they are delivered when it is', async () => {
    const rest = `process.on('SIGTERM', () => signals.deliverTo((signal) => { process.exitCode = 7; process.exit(); }));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script(rest)]);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([7, null]);
  });
});
