import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { Broker } from '../harness/server.js';
import { type Answered, ask } from './jetstream/requests.js';
import { scripts } from './jetstream/scripts.js';

// Invariant 42 of docs/INVARIANTS.md.

const directory = mkdtempSync(join(tmpdir(), 'shardcast-peer-'));
let theirs: Broker;
beforeAll(async () => {
  theirs = await Broker.start({ oracle: true, config: { jetstream: { store_dir: directory } } });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Whether the peer has the API that we speak. */
function speaksOurs(connection: NatsConnection): boolean {
  const [major, minor] = connection.info!.version.split('.').map(Number);
  return (major as number) > 2 || (minor as number) >= 15;
}

const names = { subject: '$JS.API.STREAM.NAMES' };

function namesOf(answer: unknown): readonly string[] {
  return (answer as { streams: readonly string[] | null }).streams ?? [];
}

async function play(connection: NatsConnection, script: (typeof scripts)[string]): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (const asked of script) answers.push(await ask(connection, asked));
  // what is left would be found by the next
  for (const name of (await ask(connection, names)).flatMap(namesOf))
    await ask(connection, { subject: `$JS.API.STREAM.DELETE.${name}` });
  return answers;
}

describe.each([1, 4])('%i shards', (shards) => {
  let ours: Broker;
  beforeAll(async () => {
    ours = await Broker.start({ shards });
  });

  test.for(Object.entries(scripts))('as nats-server: %s', async ([, script], { skip }) => {
    const peer = await client(theirs.port);
    skip(!speaksOurs(peer), 'this nats-server is older than the API that we speak: 2.15');
    const expected = await play(peer, script);
    const found = await play(await client(ours.port), script);
    for (const [i, asked] of script.entries())
      expect
        .soft(found[i], `${i}: ${asked.subject} ${asked.body?.slice(0, 200)} ${JSON.stringify(asked.headers ?? '')}`)
        .toEqual(expected[i]);
  });
});
