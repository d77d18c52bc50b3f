import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { codecs } from 'shardcast';
import { expect, onTestFinished, test } from 'vitest';
import { inProcess } from '../client/broker.js';
import { JsonClient } from '../harness/jsonClient.js';
import { Broker } from '../harness/server.js';

// Invariant 46 of docs/INVARIANTS.md: what was said to be stored is there after a kill.

const program = fileURLToPath(new URL('../../dist/test/durable/yesInProcess.js', import.meta.url));
/** Told so often before it is killed. */
const yesMax = 200;
const rounds = Number(process.env.YES_ROUNDS ?? 1);

function temporaryFolder(): string {
  const folder = mkdtempSync(`${tmpdir()}/shardcast-yes-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function storedIn(data: string): Promise<string[]> {
  const broker = await inProcess({ listen: false, shards: 2, data });
  const texts: string[] = [];
  for await (const { value } of broker.stream('yes', { codec: codecs.utf8 }).read()) texts.push(value);
  await broker.stop();
  return texts;
}

function expectStored(told: readonly string[], stored: readonly string[]): void {
  expect(new Set(stored).size, 'each once').toBe(stored.length);
  const there = new Set(stored);
  expect(told.filter((text) => !there.has(text))).toEqual([]);
}

test.each([
  ['jsonl', 1],
  ['websocket', 4],
] as const)('%s, %i shards', async (door, shards) => {
  const data = temporaryFolder();
  const told: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const args = ['--data', data, '--durable', 'yes.*=yes', '--jsonl-port', '0', '--ws-port', '0'];
    const broker = await Broker.start({ shards, args });
    const port = broker.doorPort(door);
    const json = await (door === 'jsonl' ? JsonClient.overTcp(port) : JsonClient.overWebSocket(port));
    const enough = told.length + yesMax;
    let next = told.length * 100;
    const publish = () => json.send({ command: 'PUB', topic: `yes.${next % 8}`, payload: `${next}`, id: next++ });
    json.onLine = (line) => {
      const { ok, id } = JSON.parse(line);
      expect(ok, line).toBe(true);
      told.push(`${id}`);
      if (told.length === enough) broker.signal('SIGKILL');
      publish();
      return true;
    };
    for (let inFlight = 0; inFlight < 32; inFlight++) publish();
    expect((await broker.exited).signal).toBe('SIGKILL');
    await broker.kill();
  }
  expectStored(told, await storedIn(data));
});

test.each([2])('in process, %i shards', async (shards) => {
  const data = temporaryFolder();
  const told: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const child = spawn(process.execPath, [program, data, `${shards}`, `${told.length * 100}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const enough = told.length + yesMax;
    for await (const line of createInterface({ input: child.stdout }))
      if (told.push(line) === enough) child.kill('SIGKILL');
    expect(await exited).toEqual([null, 'SIGKILL']);
  }
  expectStored(told, await storedIn(data));
});
