import { describe, expect, it } from 'vitest';
import { runCli, startCli, startServe } from './harness.js';

/** Starts `reply` and waits until it answers. */
async function startReply(url: string, ...args: string[]) {
  const reply = startCli(['reply', '--server', url, ...args]);
  await reply.until('stderr', 'answering on');
  return reply;
}

const request = (url: string, ...args: string[]) => runCli(['request', '--server', url, ...args]);

describe('reply', () => {
  it('answers with a text, and ends after --count replies', async () => {
    const { url } = await startServe();
    const reply = await startReply(url, 'ping', 'pong', '--count', '1');
    expect(await request(url, 'ping', '')).toEqual({ code: 0, stdout: 'pong\n', stderr: '' });
    expect(await reply.ended).toEqual({ code: 0, signal: null });
  });

  it('--echo answers with the request, and --header adds headers', async () => {
    const { url } = await startServe();
    await startReply(url, 'echo.>', '--echo', '--header', 'from:me');
    const { stdout } = await request(url, 'echo.a', 'hello', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ payload: 'hello', headers: { from: ['me'] } });
  });

  it('--command answers with what a shell command makes of the request', async () => {
    const { url } = await startServe();
    await startReply(url, 'up.*', '--command', 'tr a-z A-Z; echo " $SHARDCAST_SUBJECT"');
    expect((await request(url, 'up.x', 'hello')).stdout).toBe('HELLO up.x\n\n');
  });

  it.each([
    ['fails', 'exit 3', '30s', 'the command ended with exit code 3'],
    ['takes too long', 'sleep 1000', '2s', 'the command took longer than 2000 ms'],
    ['prints too much', 'yes', '30s', 'the command printed more than 2000 bytes'],
  ])('a command that %s is an error to who asked; the next request is answered', async (_how, line, limit, message) => {
    const { url } = await startServe('--max-payload', '2000');
    const command = `if [ "$(cat)" = bad ]; then ${line}; else echo fine; fi`;
    await startReply(url, 'a', '--command', command, '--timeout', limit);
    const failed = await request(url, 'a', 'bad');
    expect(failed).toEqual({ code: 1, stdout: '', stderr: `shardcast: a answered with error 500: ${message}\n` });
    expect((await request(url, 'a', 'good')).code).toBe(0);
  });

  it('ends with 0 on SIGINT', async () => {
    const { url } = await startServe();
    const reply = await startReply(url, 'a', 'b');
    expect(await reply.endWith('SIGINT')).toEqual({ code: 0, signal: null });
  });
});

describe('request', () => {
  it('says at once when nobody answers', async () => {
    const { url } = await startServe();
    expect(await request(url, 'nobody', 'x')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'shardcast: nobody answers on nobody (no responders)\n',
    });
  });

  it('says when no reply came in time', async () => {
    const { url } = await startServe();
    const sub = startCli(['sub', 'silent', '--server', url]);
    await sub.until('stderr', 'subscribed to');
    const { code, stderr } = await request(url, 'silent', 'x', '--timeout', '50ms');
    expect(stderr).toBe('shardcast: no reply on silent within 50ms\n');
    expect(code).toBe(1);
  });

  it('--replies waits for as many, and says when there are fewer', async () => {
    const { url } = await startServe();
    await startReply(url, 'who', 'me');
    await startReply(url, 'who', 'me');
    expect(await request(url, 'who', '', '--replies', '2')).toEqual({ code: 0, stdout: 'me\nme\n', stderr: '' });
    expect(await request(url, 'who', '', '--replies', '3', '--timeout', '1s')).toEqual({
      code: 1,
      stdout: 'me\nme\n',
      stderr: 'shardcast: 2 of 3 replies on who within 1s\n',
    });
    expect((await request(url, 'who', '', '--replies', '0', '--timeout', '1s')).stdout).toBe('me\nme\n');
    expect((await request(url, 'nobody', '', '--replies', '2')).stderr).toContain('no responders');
  });
});
