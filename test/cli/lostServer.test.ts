import { describe, expect, it } from 'vitest';
import { type CliProcess, runCli, startCli, startServe } from './harness.js';

/** A server that is killed, with no farewell, and stays away. */
async function loseServer(serve: CliProcess): Promise<void> {
  await serve.endWith('SIGKILL');
}

describe('when the server is lost', () => {
  it.each([
    ['pub', 'a', '--lines'],
    ['pub', 'a'],
    ['request', 'a'],
  ])('%s %s %s ends with 1', async (...args) => {
    const { serve, url } = await startServe();
    const command = startCli([...args, '--server', url]);
    const ready = startCli(['sub', 'a', '--server', url]);
    await ready.until('stderr', 'subscribed to');
    command.child.stdin?.write('first line\n');
    if (args.includes('--lines')) {
      // Enough to fill the window, so that it is known to be connected and waiting.
      command.child.stdin?.write(`${'x'.repeat(100_000)}\n`.repeat(20));
      await ready.until('stdout', 'first line');
    }
    await loseServer(serve);
    const { code } = await command.ended;
    expect(command.stderr).toMatch(/^shardcast: [^\n]+\n$/);
    expect(code).toBe(1);
  });

  it.each([
    ['sub', 'a'],
    ['reply', 'a', 'b'],
  ])('%s waits for it, and still ends with 0 on SIGINT', async (...args) => {
    const { serve, url } = await startServe();
    const command = startCli([...args, '--server', url]);
    await command.until('stderr', 'shardcast: ');
    await loseServer(serve);
    await command.until('stderr', 'trying again');
    expect(await command.endWith('SIGINT')).toEqual({ code: 0, signal: null });
  });

  it('sub goes on when it is back', async () => {
    const { serve, url } = await startServe();
    const sub = startCli(['sub', 'a', '--server', url, '--count', '1']);
    await sub.until('stderr', 'subscribed to');
    await loseServer(serve);
    const again = startCli(['serve', '--port', new URL(url).port]);
    await again.until('stdout', 'listening');
    await sub.until('stderr', 'connected again');
    await runCli(['pub', 'a', 'hello', '--server', url]);
    expect(await sub.ended).toEqual({ code: 0, signal: null });
    expect(sub.stdout).toBe('[a] hello\n');
  });
});
