import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { Broker, type BrokerConfig } from '../harness/server.js';

// What is not in nats-server's INFO is our own, or came with a later version than this machine may have.
const oursOrLater = new Set(['shardcast', 'api_lvl', 'xkey']);
// What describes how nats-server was built.
const theirBuild = new Set(['git_commit']);

const directory = mkdtempSync(join(tmpdir(), 'shardcast-peer-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function fieldsOf(oracle: boolean, config: BrokerConfig): Promise<string[]> {
  const broker = await Broker.start({ oracle, config });
  const info = await (await RawClient.open(broker.port)).info();
  await broker.stop();
  return Object.keys(info);
}

test.each([
  ['without authentication', {}],
  ['with authentication', { authorization: { token: 'secret' } }],
])('INFO has the fields of nats-server: %s', async (_, config) => {
  const theirs = (await fieldsOf(true, { ...config, jetstream: { store_dir: directory } })).filter(
    (field) => !theirBuild.has(field),
  );
  const our = await fieldsOf(false, config);
  expect(theirs.filter((field) => !our.includes(field))).toEqual([]);
  expect(our.filter((field) => !theirs.includes(field) && !oursOrLater.has(field))).toEqual([]);
});
