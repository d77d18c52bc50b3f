import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCli } from './harness.js';

const COMMANDS = ['serve', 'pub', 'sub', 'request', 'reply', 'stream', 'consumer', 'check', 'top', 'log'];

describe('help', () => {
  it.each(COMMANDS)('of %s has examples and ends with 0', async (command) => {
    const { code, stdout, stderr } = await runCli([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`shardcast ${command}`);
    expect(stdout).toContain('Examples:');
    expect(stderr).toBe('');
  });

  it('names every command', async () => {
    const { code, stdout } = await runCli(['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toContain(`\n  ${command} `);
  });

  it('has no colours when it does not go to a terminal', async () => {
    expect((await runCli(['serve', '--help'])).stdout).not.toContain('\u001b');
  });

  it('is printed as an error when there is no command', async () => {
    const { code, stderr } = await runCli([]);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: shardcast');
  });
});

it.each([[['--version']], [['-V']], [['serve', '--version']]])('%j prints the version of the package', async (args) => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(await runCli(args)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('a wrong command line is one line on standard error and exit code 2', () => {
  it.each([
    [['bogus'], "unknown command 'bogus'"],
    [['serve', '--prot', '1'], "unknown option '--prot' (Did you mean --port?)"],
    [['serve', '--port'], 'argument missing'],
    [['serve', 'extra'], "too many arguments for 'serve'"],
    [['serve', '--port', 'abc'], '--port: "abc" is not allowed'],
    [['serve', '--shards', '0'], '--shards: "0" is not allowed; it must be a whole number from 1 to 256'],
    [['serve', '--config', '/does/not/exist'], 'cannot read the config file /does/not/exist (ENOENT)'],
    [['serve', '--host', '0.0.0.0'], '--host: 0.0.0.0 is open to the network without credentials'],
    [['serve', '--ports-file', '/does/not/exist'], '--ports-file: /does/not/exist cannot be made'],
    [['pub'], "missing required argument 'subject'"],
    [['pub', 'a.*', 'x'], 'It must be a subject such as orders.new, without wildcards.'],
    [['pub', 'a', 'x', '--count', '0'], 'It must be a whole number from 1.'],
    [['pub', 'a', 'x', '--lines'], '--lines reads standard input'],
    [['pub', 'a', 'x', '--header', 'novalue'], 'It must be NAME:VALUE'],
    [['pub', 'a', 'x', '--server', 'http://localhost'], 'http:// is not supported'],
    [['pub', 'a', 'x', '--pass', 'secret'], '--pass needs --user'],
    [['stream', 'add', 'a.b'], 'It must be a name without blanks, dots, wildcards and slashes.'],
    [['stream', 'add', 'a', '--max-bytes', 'much'], 'It must be a size such as'],
    [['stream', 'edit', 'a'], 'say what to change'],
    [['stream', 'get', 'a'], 'say which message'],
    [['stream', 'get', 'a', '1', '--last-for', 'b'], '--last-for stands alone'],
    [['consumer', 'add', 'S'], "missing required argument 'consumer'"],
    [['consumer', 'add', 'S', 'a.b'], 'It must be a name without blanks, dots, wildcards and slashes.'],
    [['consumer', 'add', 'S', 'C', '--ack-policy', 'some'], 'Allowed choices are none, all, explicit.'],
    [['consumer', 'add', 'S', 'C', '--speed', '0'], 'It must be a number such as 10 or 0.5.'],
    [['consumer', 'pause', 'S', 'C'], 'say how long: --for TIME or --until TIME'],
    [['sub', 'a', '--replay', 'some'], 'It must be all, last, new, a sequence, a time such as'],
    [['sub', 'a', '--durable', 'D', '--queue', 'q'], '--durable and --replay cannot be combined with --queue'],
    [['sub', 'a', '--speed', '10'], '--speed, --stream and --domain need --durable or --replay'],
    [['sub', 'a', '--max-deliver', '5', '--queue', 'q'], '--max-deliver and --ack-wait need --prefetch or --durable'],
    [['sub', 'a', '--ack-wait', '5s', '--replay', 'all'], '--max-deliver and --ack-wait need --prefetch or --durable'],
    [['sub', 'a', '--dead-letter', 'd'], '--dead-letter needs --prefetch, or a --policy that drops messages'],
    [['sub', 'a', '--dead-letter', 'd', '--durable', 'D'], '--dead-letter needs --prefetch, or a --policy that drops'],
    [['sub', 'a', '--dead-letter', 'd', '--policy', 'block'], '--dead-letter is not for --policy block'],
    [['sub', 'a', '--dead-letter', 'd.*', '--policy', 'drop-old'], 'It must be a subject such as orders.new, without'],
    [['sub', 'a..b'], 'It must be a subject such as orders.new'],
    [['sub', 'a', '--raw', '--json'], "option '--raw' cannot be used with option '--json'"],
    [['sub', 'a', '--policy', 'often'], 'Allowed choices are disconnect, drop-new, drop-old, block, conflate.'],
    [['sub', 'a', '--timeout', 'soon'], 'It must be a time such as'],
    [['sub', 'a', '--last', '--queue', 'q'], '--last is not for members of a --queue'],
    [['request', 'a', 'x', '--timeout', 'soon'], 'It must be a time such as'],
    [['top', 'ftp://localhost'], 'is no URL of a monitoring port'],
    [['top', '--sort', 'name'], 'Allowed choices are cid, '],
    [['reply', 'a'], 'give one of TEXT, --echo and --command'],
    [['reply', 'a', 'text', '--echo'], 'give one of TEXT, --echo and --command'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^shardcast: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

it.each([
  ['pub', 'a', 'x'],
  ['sub', 'a'],
  ['request', 'a', 'x'],
  ['reply', 'a', 'x'],
])('%s says when nothing listens', async (...args) => {
  // Nobody can listen on port 1 without being asked to by the system's administrator.
  const { code, stderr } = await runCli([...args, '--server', 'nats://127.0.0.1:1']);
  expect(stderr).toBe('shardcast: nothing listens at 127.0.0.1:1; start a broker with: shardcast serve\n');
  expect(code).toBe(1);
});
