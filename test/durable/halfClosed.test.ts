import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { Broker } from '../harness/server.js';

// Invariant 46 of docs/INVARIANTS.md: who says no more is told what became of what he has said.

const connections = 20;
const lineOf = (id: number) => JSON.stringify({ command: 'PUB', topic: `last.${id % 5}`, payload: `${id}`, id });

/** Says a text and that no more comes; resolves with what is said until the broker says so, too. */
async function lastWords(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let said = '';
  socket.on('data', (bytes) => {
    said += bytes;
  });
  socket.end(text);
  await once(socket, 'end');
  return said;
}

/** Ids of what was told to be stored. */
function toldIn(said: string): number[] {
  const lines = said.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line)).flatMap(({ ok, id }) => (ok === true ? [id] : []));
}

test.each([
  [1, 'its line ends with the input', 1, ''],
  [2, 'its line ends with the input', 1, ''],
  [4, 'many lines', 300, '\n'],
])('a half-closed connection, %i shards: %s', async (shards, _, lines, end) => {
  const data = mkdtempSync(`${tmpdir()}/shardcast-half-`);
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const broker = await Broker.start({
    shards,
    args: ['--data', data, '--durable', 'last.*=last', '--jsonl-port', '0'],
  });
  // before its folder is removed
  onTestFinished(async () => void (await broker.stop()));
  const port = broker.doorPort('jsonl');
  const ids = Array.from({ length: connections }, (_, i) => Array.from({ length: lines }, (_, j) => i * lines + j));
  const said = await Promise.all(ids.map((own) => lastWords(port, own.map(lineOf).join('\n') + end)));
  expect(said.map(toldIn)).toEqual(ids);
  const nats = await client(broker.port);
  const info = await nats.request('$JS.API.STREAM.INFO.last');
  expect(info.json()).toMatchObject({ state: { messages: connections * lines } });
});
