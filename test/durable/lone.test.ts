import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loneTopicsMin } from '../../src/base/limits.js';
import { inProcess, portOf } from '../client/broker.js';
import type { Message } from '../harness/frames.js';
import { client } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';

// Invariant 42 of docs/INVARIANTS.md.

let data: string;

beforeEach(() => {
  data = mkdtempSync(`${tmpdir()}/shardcast-data-`);
});

afterEach(() => rmSync(data, { recursive: true }));

/** More than have topics. */
const many = loneTopicsMin + 200;
const batch = 4096;
/** What each publisher sends in a round. */
const linesEach = 60;

interface Line {
  readonly subject: string;
  readonly payload: string;
  readonly reply: string;
}

/** Most are on subjects that nobody has used; some are of another stream, some wanted, some no subjects. */
function linesOf(publisher: number, round: number): Line[] {
  return Array.from({ length: linesEach }, (_, i) => {
    const own = `${publisher}.${round}.${i}`;
    const subject =
      i % 17 === 5
        ? `other.${own}`
        : i % 11 === 3
          ? `lone.wanted.${own}`
          : i % 29 === 7
            ? `lone..${own}`
            : i % 13 === 2
              ? `lone.known${round}.${many - i}`
              : `lone.new.${own}`;
    return { subject, payload: `${own} of ${subject}`, reply: `in${publisher}.${round}-${i}` };
  });
}

function send(publisher: RawClient, lines: readonly Line[]): void {
  publisher.send(
    lines.map(({ subject, payload, reply }) => `PUB ${subject} ${reply} ${payload.length}\r\n${payload}\r\n`).join(''),
  );
}

const isStored = ({ subject }: Line) => !subject.includes('..');
const isWanted = ({ subject }: Line) => subject.includes('.wanted.');
const payloadsOf = (messages: readonly Message[]) => messages.map(({ payload }) => payload.toString());

test.each([1, 2, 4])(
  'where there are very many subjects, new ones are stored and answered in order, and seen by who comes: %i shards',
  async (shards) => {
    const broker = await inProcess({ shards, data });
    const port = portOf(broker);
    const connection = await client(port);
    const manager = await jetstreamManager(connection as never);
    for (const name of ['lone', 'other']) await manager.streams.add({ name, subjects: [`${name}.>`] });
    const publishers = await Promise.all(Array.from({ length: 2 * shards }, () => RawClient.connect(port)));
    for (const [i, each] of publishers.entries()) await each.exchange(`SUB in${i}.* 1\r\n`);
    const publishMany = (name: string, count: number): void => {
      const subjects = Array.from({ length: count }, (_, i) => `lone.${name}.${i}`);
      publishers[0]!.send(subjects.map((subject) => `PUB ${subject} 1\r\nm\r\n`).join(''));
    };
    let stored = 3 * many;
    const watcher = await RawClient.connect(port);
    for (const [round, watched] of [false, true, false].entries()) {
      await watcher.exchange(watched ? 'SUB lone.wanted.> 1\r\n' : 'UNSUB 1\r\n');
      // right before: what is not used is forgotten within two seconds
      publishMany(`known${round}`, many);
      const sent = publishers.map((_, i) => linesOf(i, round));
      for (const [i, lines] of sent.entries()) send(publishers[i]!, lines);
      for (const [i, lines] of sent.entries()) {
        const taken = lines.filter(isStored);
        const answers = await publishers[i]!.messages(taken.length);
        const places = answers.map(({ subject, payload }) => ({ subject, ...JSON.parse(payload.toString()) }));
        for (const stream of ['lone', 'other']) {
          const own = taken.filter(({ subject }) => subject.startsWith(`${stream}.`));
          const found = places.filter((place) => place.stream === stream);
          expect(found.map(({ subject }) => subject)).toEqual(own.map(({ reply }) => reply));
          const messages = await Promise.all(found.map(({ seq }) => manager.streams.getMessage(stream, { seq })));
          expect(messages.map((each) => [each?.subject, each?.string()])).toEqual(
            own.map(({ subject, payload }) => [subject, payload]),
          );
          if (stream === 'lone') stored += own.length;
        }
      }
      if (!watched) continue;
      const wanted = sent.flat().filter((line) => isStored(line) && isWanted(line));
      const seen = payloadsOf(await watcher.messages(wanted.length));
      expect([...seen].sort()).toEqual(wanted.map(({ payload }) => payload).sort());
    }
    expect(await watcher.exchange()).toEqual([]);
    expect((await manager.streams.info('lone')).state.messages).toBe(stored);
    if (shards > 1) return;
    const topicsOf = async (): Promise<number> => (await broker.census())[0]!.topics;
    const before = Math.max(await topicsOf(), loneTopicsMin);
    // each would have had one
    publishMany('late', many + 4 * batch);
    await publishers[0]!.exchange();
    expect(await topicsOf()).toBeLessThan(before + batch);
  },
);
