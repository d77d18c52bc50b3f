import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliProcess, runCli, startCli, startServe, temporaryFolder } from './harness.js';

const request = (url: string, ...args: string[]) => runCli(['request', '--server', url, ...args]);

/** A command that says when it runs, and ends when the test opens its gate. */
function gated(): { command: string; open: () => void } {
  const gate = join(temporaryFolder(), 'open');
  return {
    command: `echo running >&2; until [ -e ${gate} ]; do sleep 0.05; done; cat`,
    open: () => writeFileSync(gate, ''),
  };
}

async function startReply(url: string, ...args: string[]): Promise<CliProcess> {
  const reply = startCli(['reply', '--server', url, ...args]);
  await reply.until('stderr', 'answering on');
  return reply;
}

function ask(url: string, subject: string, payloads: readonly string[]): CliProcess[] {
  return payloads.map((payload) => startCli(['request', subject, payload, '--server', url, '--timeout', '50s']));
}

describe('reply, when it is interrupted while a command runs,', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s, sends the answer before it ends, and takes no more',
    async (signal) => {
      const { url } = await startServe();
      const { command, open } = gated();
      const reply = await startReply(url, 'slow', '--command', command);
      const [asked] = ask(url, 'slow', ['one']);
      await reply.until('stderr', 'running');
      reply.child.kill(signal);
      // its subscription ends while the command runs
      const refused = async (): Promise<string> => (await request(url, 'slow', '', '--timeout', '200ms')).stderr;
      await expect.poll(refused).toContain('nobody answers');
      open();
      expect(await asked!.ended).toEqual({ code: 0, signal: null });
      expect(asked!.stdout).toBe('one\n');
      expect(await reply.ended).toEqual({ code: 0, signal: null });
    },
  );

  it('answers all that it has taken from others', async () => {
    const { url } = await startServe();
    const { command, open } = gated();
    const reply = await startReply(url, 'slow', '--command', command, '--queue', 'q');
    const watch = startCli(['sub', 'slow', '--server', url, '--count', '4']);
    await watch.until('stderr', 'subscribed');
    const asked = ask(url, 'slow', ['1', '2', '3', '4']);
    await reply.until('stderr', 'running');
    await watch.ended;
    reply.child.kill('SIGINT');
    open();
    expect(await reply.ended).toEqual({ code: 0, signal: null });
    for (const each of asked) expect(await each.ended).toEqual({ code: 0, signal: null });
    expect(asked.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n']);
  });

  it('answers all that it has taken when there were enough, too', async () => {
    const { url } = await startServe();
    const { command, open } = gated();
    const reply = await startReply(url, 'slow', '--command', command, '--count', '1');
    const watch = startCli(['sub', 'slow', '--server', url, '--count', '3']);
    await watch.until('stderr', 'subscribed');
    const asked = ask(url, 'slow', ['1', '2', '3']);
    await watch.ended;
    open();
    expect(await reply.ended).toEqual({ code: 0, signal: null });
    for (const each of asked) expect(await each.ended).toEqual({ code: 0, signal: null });
  });
});

describe('reply is not ended by', () => {
  it('an answer that is longer than the server takes', async () => {
    const { url } = await startServe('--max-payload', '200');
    await startReply(url, 'text', 'x'.repeat(201));
    await startReply(url, 'echo', '--echo', '--header', `long:${'y'.repeat(100)}`);
    for (let round = 0; round < 2; round++) {
      expect((await request(url, 'text', '')).stderr).toMatch(
        /^shardcast: text answered with error 500: the answer cannot be sent/,
      );
      expect((await request(url, 'echo', 'x'.repeat(150))).code).toBe(1);
      expect((await request(url, 'echo', 'x')).stdout).toBe('x\n');
    }
  });

  it('an answer that cannot be sent, nor that it cannot be sent', async () => {
    const { url } = await startServe('--max-payload', '20');
    const reply = await startReply(url, 'text', 'x'.repeat(21));
    expect((await request(url, 'text', '', '--timeout', '200ms')).stderr).toContain('no reply on text');
    await reply.until('stderr', 'cannot be sent');
    expect(await reply.endWith('SIGINT')).toEqual({ code: 0, signal: null });
  });

  it('messages that are no requests, and commands that cannot be run', async () => {
    const { url } = await startServe();
    await startReply(url, 'a', '--command', 'if [ "$(cat)" = bad ]; then kill -9 $$; fi; echo fine');
    await runCli(['pub', 'a', 'bad', '--server', url]);
    expect((await request(url, 'a', 'bad')).stderr).toContain('the command ended with SIGKILL');
    expect((await request(url, 'a', 'good')).stdout).toBe('fine\n\n');
  });
});

describe('an interrupt', () => {
  it('of pub --lines ends it when the server has every line that it has read', async () => {
    const { url } = await startServe();
    const sub = startCli(['sub', 'a', '--server', url, '--count', '3']);
    await sub.until('stderr', 'subscribed');
    const pub = startCli(['pub', 'a', '--lines', '--server', url]);
    pub.child.stdin?.write('1\n2\n3\nhalf a li');
    await sub.until('stdout', '[a] 2');
    expect(await pub.endWith('SIGINT')).toEqual({ code: 0, signal: null });
    expect(pub.stderr).toBe('');
    await sub.ended;
    expect(sub.stdout).toBe('[a] 1\n[a] 2\n[a] 3\n');
  });

  it('of pub that waits for its payload publishes nothing', async () => {
    const { url } = await startServe();
    const pub = startCli(['pub', 'a', '--server', url]);
    // what it asks about streams is seen by others, too
    const sub = startCli(['sub', 'a', '--server', url]);
    await sub.until('stderr', 'subscribed');
    // more than a pipe holds: when it is written, it is being read
    await new Promise((resolve) => pub.child.stdin?.write('x'.repeat(300_000), resolve));
    expect(await pub.endWith('SIGINT')).toEqual({ code: 130, signal: null });
    expect(pub.stderr).toBe('');
    await sub.endWith('SIGINT');
    expect(sub.stdout).toBe('');
  });

  it('of a request ends it at once', async () => {
    const { url } = await startServe();
    const sub = startCli(['sub', 'silent', '--server', url]);
    await sub.until('stderr', 'subscribed');
    const asked = startCli(['request', 'silent', 'x', '--server', url, '--timeout', '50s']);
    await sub.until('stdout', '[silent] x');
    expect(await asked.endWith('SIGTERM')).toEqual({ code: 143, signal: null });
    expect(asked.stderr).toBe('');
  });
});
