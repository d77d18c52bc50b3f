import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { alike, type Promised, play } from './differential/play.js';
import { type Transcript, transcript } from './differential/transcript.js';

// Transcripts are played to nats-server and to the broker, and both must answer the same: docs/PROTOCOL.md lists what differs.
// `npm run fuzz:nats` plays 20,000; DIFF_RUNS, DIFF_SEED and DIFF_SHARDS say how many, which, and at how many shards;
// SHARDCAST_NATS_SERVER is the path of nats-server. A failure prints its seed and its shortest transcript.
const numRuns = Number(process.env.DIFF_RUNS ?? 100);
const seed = Number(process.env.DIFF_SEED ?? Date.now() % 2 ** 31);
const shardCounts = (process.env.DIFF_SHARDS ?? '1,3').split(',').map(Number);
/** What was chance is not there again; what a reset took from a closed connection neither. */
const triesMax = 3;

let nats: Broker;
let subjectOfStatus: boolean;

beforeAll(async () => {
  nats = await Broker.start({ oracle: true });
  const client = await RawClient.connect(nats.port);
  const [status] = await client.exchange('SUB r 1\r\nPUB nobody r 0\r\n\r\n');
  subjectOfStatus = status!.includes('Nats-Subject');
});

afterAll(() => nats.stop());

interface Difference {
  readonly step: number;
  readonly theirs: unknown;
  readonly ours: unknown;
}

/** Plays to both until they answer alike; the last answers to the first step that differs, else null. */
async function difference(port: number, script: Transcript, promised: Promised): Promise<Difference | null> {
  for (let tries = 1; ; tries++) {
    const [theirs, ours] = await Promise.all([play(nats.port, script, promised), play(port, script, promised)]);
    const step = ours.findIndex((each, i) => !alike(theirs[i]!, each));
    if (step < 0) return null;
    if (tries === triesMax) return { step, theirs: theirs[step], ours: ours[step] };
  }
}

// SHARDCAST_TEST_TARGET=nats-server compares nats-server with itself: that shows that only what is promised is compared.
describe.each(shardCounts)('%i shards', (shards) => {
  test(`the same transcript, the same answers as nats-server (seed ${seed})`, { timeout: 0 }, async () => {
    const broker = await Broker.start({ shards });
    const promised = { orderBetweenTopics: shards === 1, subjectOfStatus };
    await fc.assert(
      fc.asyncProperty(transcript, async (script) => {
        const found = await difference(broker.port, script, promised);
        if (found !== null) expect(found.ours, `step ${found.step}`).toEqual(found.theirs);
      }),
      { seed, numRuns },
    );
    await broker.stop();
  });
});
