import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { Broker, useBroker } from '../harness/server.js';
import { commandsOf, type Sample, samplesOf } from './samples.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const main = join(root, 'dist/src/cli/main.js');
const samples = samplesOf(new URL('../../README.md', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'shardcast-readme-'));
const stopped = mkdtempSync(join(tmpdir(), 'shardcast-readme-'));
const doors = ['--jsonl-port', '0', '--ws-port', '0', '--http-port', '-1'];
const server = useBroker({ shards: 2, args: [...doors, '--last-value', 'md.>', '--data', data] });
const running = new Set<ChildProcess>();
/** Inside the package, so that it finds itself by its name. */
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(root, 'dist/readme-'));
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => {
  for (const each of [folder, data, stopped]) rmSync(each, { recursive: true, force: true });
});

const of = (...languages: string[]) => samples.filter(({ language }) => languages.includes(language));
const titled = (list: Sample[]) => list.map((sample) => [`line ${sample.line}, ${sample.heading}`, sample] as const);

function run(
  args: readonly string[],
  input = '',
  cwd = root,
): { child: ChildProcess; ended: Promise<number | null>; said: () => string } {
  const env = { ...process.env, NATS_URL: `nats://127.0.0.1:${server.port}`, SHARDCAST_URL: undefined };
  const child = spawn(process.execPath, args, { cwd, env, stdio: 'pipe' });
  running.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (text += bytes));
  child.stdin?.end(input);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, ended, said: () => text };
}

async function expectDone(args: readonly string[], cwd = root): Promise<void> {
  const { ended, said } = run(args, '', cwd);
  expect(await ended, `${args.join(' ')}: ${said()}`).toBe(0);
}

/** What a shell would make of a line without variables. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare!,
  );
}

test('every sample of the README is of a kind that is tried here', () => {
  expect([...new Set(samples.map(({ language }) => language))].sort()).toEqual(['', 'js', 'sh', 'ts', 'yaml']);
});

describe('TypeScript samples compile, strictly, and run', () => {
  test.each(titled(of('ts')))('%s', async (_, sample) => {
    const name = `sample${sample.line}`;
    writeFileSync(join(folder, `${name}.mts`), sample.text);
    const compilerOptions = { target: 'es2022', module: 'nodenext', strict: true, types: ['node'], skipLibCheck: true };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [`${name}.mts`] }));
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { stdio: 'pipe' });
    await expectDone([join(folder, `${name}.mjs`)]);
  });
});

describe('JavaScript samples run', () => {
  test.each(titled(of('js')))('%s', async (_, sample) => {
    const webSocketUrl = `ws://127.0.0.1:${server.broker.doorPort('websocket')}`;
    // browsers and later versions of Node have one
    const before = "import WebSocket from 'ws';\nglobalThis.WebSocket = WebSocket;\n";
    const file = join(folder, `sample${sample.line}.mjs`);
    writeFileSync(file, before + sample.text.replaceAll('ws://127.0.0.1:8080', webSocketUrl));
    if (!sample.text.includes('onmessage')) return expectDone([file]);
    const { child } = run([file]);
    const lines = createInterface(child.stdout as Readable)[Symbol.asyncIterator]();
    const publisher = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const again = setInterval(() => publisher.send({ command: 'PUB', topic: 'test', payload: 'here' }), 50);
    expect((await lines.next()).value).toBe('BROKER BROADCAST [test]: here');
    clearInterval(again);
  });
});

describe('configurations are allowed', () => {
  test.each(titled(of('yaml')))('%s', async (_, sample) => {
    const file = join(folder, `sample${sample.line}.yaml`);
    writeFileSync(file, sample.text);
    await expectDone([main, 'serve', '--config', file, '--check-config']);
  });
});

describe('commands do what they say', () => {
  const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts as Record<string, string>;
  /** Those that go on until they are interrupted. */
  const staying: ReturnType<typeof run>[] = [];

  async function carryOut(command: string): Promise<void> {
    const words = wordsOf(command);
    const serve = /^(?:npm start --|(?:npx )?shardcast serve)(.*)$/.exec(command);
    if (serve !== null) return expectDone([main, 'serve', ...wordsOf(serve[1]!), '--check-config']);
    if (words[0] === 'shardcast' && ['sub', 'reply'].includes(words[1]!)) {
      const stays = run([main, ...words.slice(1)]);
      staying.push(stays);
      await new Promise<void>((resolve) => stays.child.stderr?.once('data', () => resolve()));
      return;
    }
    if (words[0] === 'shardcast' && words[1] === 'top') {
      const url = words[2]!.replace('8222', String(server.broker.monitoringPort));
      return expectDone([main, 'top', url, '--once', ...words.slice(3)]);
    }
    if (words[0] === 'shardcast' && words[1] === 'log') return expectDone([main, ...words.slice(1)], stopped);
    if (words[0] === 'shardcast') return expectDone([main, ...words.slice(1)]);
    // what installs and builds is tried by whoever runs these tests, in a fresh clone
    for (const part of command.split('&&').map((text) => text.trim())) {
      const script = /npm (?:run )?(start|test|client|bench\S*)$/.exec(part)?.[1];
      if (script === undefined) expect(part).toMatch(/^npm (ci|i shardcast|link)$/);
      else expect(scripts).toHaveProperty([script]);
    }
  }

  // `shardcast log` takes a directory that no broker has
  beforeAll(async () => {
    const args = ['--data', join(stopped, 'data'), '--durable', 'orders.>=ORDERS'];
    await (await Broker.start({ shards: 1, args })).stop();
  });

  test.each(titled(of('sh').filter(({ text }) => !text.includes('nc 127'))))('%s', async (_, sample) => {
    for (const command of commandsOf(sample)) await carryOut(command);
    for (const { child, ended } of staying.splice(0)) {
      child.kill('SIGINT');
      expect(await ended).toBe(0);
    }
  });
});

describe('what is said on JSON lines is understood, and answered as it stands', () => {
  const dialogues = samples.filter(({ text }) => text.includes('{"command"') && !text.includes('onopen'));
  test.each(titled(dialogues))('%s', async (_, sample) => {
    const [client, other] = await Promise.all([1, 2].map(() => JsonClient.overTcp(server.broker.doorPort('jsonl'))));
    const lines: string[] = [];
    client!.onLine = (line) => !line.includes('"pong"') && lines.push(line) > 0;
    for (const line of sample.text.split('\n').filter((text) => /^(\{|BROKER)/.test(text))) {
      if (line.startsWith('{"command"')) client!.send(JSON.parse(line));
      else if (line.startsWith('{"topic"')) {
        await client!.exchange({ command: 'PING' });
        const { topic, payload } = JSON.parse(line);
        await other!.exchange({ command: 'PUB', topic, payload });
      }
      await client!.exchange({ command: 'PING' });
      // what a stream delivers comes in its own time
      if (line.startsWith('{"topic"') && line.includes('"sequence"'))
        while (!lines.map(timeless).includes(timeless(line))) await client!.exchange();
      else if (!line.startsWith('{"command"')) expect(lines.map(timeless)).toContain(timeless(line));
    }
    expect(lines.filter((line) => line.includes('"error"'))).toEqual([]);
  });
});

/** When a message came, and what its stream had before, differs from run to run. */
function timeless(line: string): string {
  return line.replace(/"(timestamp|sequence)":\d+/g, '"$1":0');
}
