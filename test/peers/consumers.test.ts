import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { Broker } from '../harness/server.js';
import { compare, type Difference, shortest } from './consumers/compare.js';
import { type Connections, compareOverRestart } from './consumers/restarts.js';
import { type Scenario, scenario, survives, timeless } from './consumers/scenarios.js';

// Invariant 52 of docs/INVARIANTS.md. Scenarios of a stream and its consumers are done to nats-server and to the broker, and both must do the same: docs/PROTOCOL.md lists what
// differs. One restart of both comes in the middle of many at once (DIFF_RESTARTS). DIFF_RUNS, DIFF_SEED and DIFF_SHARDS say how many, which, and at how many shards; a failure prints its shortest scenario.
const numRuns = Number(process.env.DIFF_RUNS ?? 60);
const restartRuns = Number(process.env.DIFF_RESTARTS ?? 40);
// the same each time: of some thousand scenarios one may meet what is not listed yet
const seed = Number(process.env.DIFF_SEED ?? 1);
const shardCounts = (process.env.DIFF_SHARDS ?? '1,4').split(',').map(Number);
/** So many at a time: each waits for answers most of the time. */
const atATime = 8;
/** What was chance is not there again. */
const triesMax = 3;

const directory = mkdtempSync(join(tmpdir(), 'shardcast-peer-'));
let theirs: Broker;
beforeAll(async () => {
  theirs = await Broker.start({ oracle: true, config: { jetstream: { store_dir: join(directory, 'theirs') } } });
});
afterAll(async () => {
  await theirs.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Compares until both are alike; null then, else what differs. */
async function difference(peer: NatsConnection, own: NatsConnection, each: Scenario): Promise<Difference | null> {
  for (let tries = 1; ; tries++) {
    const found = await compare(peer, own, each);
    if (found === null || tries === triesMax) return found;
  }
}

test(`as nats-server, over a restart of both (seed ${seed})`, { timeout: 0 }, async ({ skip }) => {
  const config = { jetstream: { store_dir: join(directory, 'restarted') } };
  const start = () =>
    Promise.all([
      Broker.start({ oracle: true, config }),
      Broker.start({ shards: 2, args: ['--data', join(directory, 'restarts')] }),
    ]);
  let both = await start();
  const connect = () => Promise.all(both.map(({ port }) => client(port))) as Promise<Connections>;
  const [peer, own] = await connect();
  const [major, minor] = peer.info!.version.split('.').map(Number);
  for (const each of [peer, own]) await each.close();
  skip((major as number) < 3 && (minor as number) < 15, 'this nats-server is older than the API that we speak: 2.15');
  const restart = async () => {
    await Promise.all(both.map((each) => each.stop()));
    both = await start();
  };
  const scenarios = fc.sample(timeless.filter(survives), { seed, numRuns: restartRuns });
  const found = await compareOverRestart(connect, restart, scenarios);
  await Promise.all(both.map((each) => each.stop()));
  const [first] = found;
  const steps = first?.scenario.steps.map((step) => JSON.stringify(step)).join('\n');
  expect(
    first?.difference.ours,
    `${found.length} scenarios; step ${first?.difference.step}, restart before ${first?.restart}, of ${JSON.stringify(first?.scenario.stream)}\n${steps}`,
  ).toEqual(first?.difference.theirs);
});

describe.each(shardCounts)('%i shards', (shards) => {
  let ours: Broker;
  beforeAll(async () => {
    ours = await Broker.start({ shards, args: ['--data', join(directory, `ours${shards}`)] });
  });
  afterAll(() => ours.stop());

  test(`as nats-server (seed ${seed})`, { timeout: 0 }, async ({ skip }) => {
    const peer = await client(theirs.port);
    const [major, minor] = peer.info!.version.split('.').map(Number);
    skip((major as number) < 3 && (minor as number) < 15, 'this nats-server is older than the API that we speak: 2.15');
    const left = fc.sample(scenario, { seed, numRuns }).entries();
    const several = Array.from({ length: atATime }, async () => {
      const [peer, own] = await Promise.all([client(theirs.port), client(ours.port)]);
      for (const [i, each] of left) {
        if ((await difference(peer, own, each)) === null) continue;
        const least = await shortest(each, (shorter) => compare(peer, own, shorter));
        const found = await difference(peer, own, least);
        const steps = least.steps.map((step) => JSON.stringify(step)).join('\n');
        expect(found?.ours, `scenario ${i}, step ${found?.step} of ${JSON.stringify(least.stream)}\n${steps}`).toEqual(
          found?.theirs,
        );
      }
    });
    await Promise.all(several);
  });
});
