import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { Broker } from '../harness/server.js';
import { sequenceOfRequests } from './jetstream/generated.js';
import { type Answered, ask, type OptionsRequest } from './jetstream/requests.js';
import { scripts } from './jetstream/scripts.js';

// Invariant 42 of docs/INVARIANTS.md. What is asked is what `scripts` says, and what is generated: DIFF_RUNS and DIFF_SEED say how many
// sequences, and which; a failure prints its seed and its shortest sequence. docs/PROTOCOL.md lists what differs.
const numRuns = Number(process.env.DIFF_RUNS ?? 60);
// the same each time: of some thousand sequences one may meet what is not listed yet
const seed = Number(process.env.DIFF_SEED ?? 1);

const directory = mkdtempSync(join(tmpdir(), 'shardcast-peer-'));
const theirStreams = join(directory, 'theirs/jetstream/$G/streams');
let theirs: Broker;
beforeAll(async () => {
  theirs = await Broker.start({ oracle: true, config: { jetstream: { store_dir: join(directory, 'theirs') } } });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Whether the peer has the API that we speak. */
function speaksOurs(connection: NatsConnection): boolean {
  const [major, minor] = connection.info!.version.split('.').map(Number);
  return (major as number) > 2 || (minor as number) >= 15;
}

const olderPeer = 'this nats-server is older than the API that we speak: 2.15';

/** The account counts what was asked before, too. */
function comparable({ subject }: OptionsRequest, answered: Answered): Answered {
  return subject === '$JS.API.INFO' ? answered.map((answer) => ({ ...(answer as object), api: null })) : answered;
}

const names = { subject: '$JS.API.STREAM.NAMES' };

function namesOf(answer: unknown): readonly string[] {
  return (answer as { streams: readonly string[] | null }).streams ?? [];
}

async function play(
  connection: NatsConnection,
  script: readonly OptionsRequest[],
  asking: typeof ask,
): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (const asked of script) answers.push(await asking(connection, asked));
  await clear(connection, asking);
  return answers;
}

const deletion = /^\$JS\.API\.STREAM\.DELETE\.([AB])$/;

/** Asks nats-server, and waits for what goes on behind its answer: a stream that is made again at once may find messages of the one that was deleted. */
async function askPeer(connection: NatsConnection, asked: OptionsRequest): Promise<Answered> {
  const answered = await ask(connection, asked);
  const [, name] = deletion.exec(asked.subject) ?? [];
  if (name !== undefined) await expect.poll(() => existsSync(join(theirStreams, name, 'msgs'))).toBe(false);
  return answered;
}

/** What is left would be found by the next. */
async function clear(connection: NatsConnection, asking: typeof ask): Promise<void> {
  for (const name of (await asking(connection, names)).flatMap(namesOf))
    await asking(connection, { subject: `$JS.API.STREAM.DELETE.${name}` });
}

describe.each([1, 4])('%i shards', (shards) => {
  let ours: Broker;
  beforeAll(async () => {
    ours = await Broker.start({ shards, args: ['--data', join(directory, `ours${shards}`)] });
  });

  test(`as nats-server: what is generated (seed ${seed})`, { timeout: 0 }, async ({ skip }) => {
    const [peer, own] = [await client(theirs.port), await client(ours.port)];
    skip(!speaksOurs(peer), olderPeer);
    const alike = fc.asyncProperty(sequenceOfRequests, async (sequence) => {
      await Promise.all([clear(peer, askPeer), clear(own, ask)]);
      for (const asked of sequence) {
        const [expected, found] = await Promise.all([askPeer(peer, asked), ask(own, asked)]);
        expect(comparable(asked, found)).toEqual(comparable(asked, expected));
      }
    });
    await fc.assert(alike, { seed, numRuns });
  });

  test.for(Object.entries(scripts))('as nats-server: %s', async ([, script], { skip }) => {
    const peer = await client(theirs.port);
    skip(!speaksOurs(peer), olderPeer);
    const expected = await play(peer, script, askPeer);
    const found = await play(await client(ours.port), script, ask);
    for (const [i, asked] of script.entries())
      expect
        .soft(found[i], `${i}: ${asked.subject} ${asked.body?.slice(0, 200)} ${JSON.stringify(asked.headers ?? '')}`)
        .toEqual(expected[i]);
  });
});
