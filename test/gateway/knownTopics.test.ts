import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inProcess, portOf } from '../client/broker.js';
import { type Frame, show } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';
import { shardCounts } from '../harness/target.js';

// Invariant 50 of docs/INVARIANTS.md.

const numRuns = Number(process.env.SHARDCAST_KNOWN_RUNS ?? 30);

/** Some of them begin as others do, some fill words of eight and sixteen bytes; nobody takes the last. */
const subjects = [
  'a',
  'ab',
  'abcdefg',
  'abcdefgh',
  'abcdefgi',
  'abcdefgh.1',
  'k.2345678901234',
  'k.23456789012345',
].concat(['known.topics.of.some.length.1', 'known.topics.of.some.length.2', `l.${'n'.repeat(300)}`, 'nobody.takes.it']);
const taken = subjects.slice(0, -1);

/** A message as it stands on the wire, and as it is delivered: without its sid. */
interface Line {
  readonly text: string;
  readonly subject: string;
  readonly shown: string;
}

const keyword = fc.oneof(
  { weight: 20, arbitrary: fc.constant('PUB ') },
  fc.constantFrom('pub ', 'PuB ', 'PUB\t', 'PUB  '),
);
const blank = fc.oneof({ weight: 20, arbitrary: fc.constant(' ') }, fc.constantFrom('  ', '\t', ' \t'));
const zeros = fc.oneof({ weight: 20, arbitrary: fc.constant('') }, fc.constantFrom('0', '000'));
const behind = fc.oneof({ weight: 20, arbitrary: fc.constant('') }, fc.constantFrom(' ', '\t '));
const size = fc.oneof(
  { weight: 8, arbitrary: fc.nat(200) },
  fc.nat(1200),
  fc.constantFrom(0, 9, 10, 99, 100, 999, 1000, 1001),
);
const subject = fc.constantFrom(...subjects);

const plain = fc
  .record({ keyword, subject, blank, zeros, behind, size, fill: fc.nat(25) })
  .map(({ keyword, subject, blank, zeros, behind, size, fill }): Line => {
    const payload = String.fromCharCode(97 + fill).repeat(size);
    return {
      text: `${keyword}${subject}${blank}${zeros}${size}${behind}\r\n${payload}\r\n`,
      subject,
      shown: `${subject} ${payload}`,
    };
  });
const withReply = fc.record({ subject, size }).map(({ subject, size }): Line => {
  const payload = 'r'.repeat(size);
  return { text: `PUB ${subject} re.ply ${size}\r\n${payload}\r\n`, subject, shown: `${subject} re.ply ${payload}` };
});
const line = fc.oneof({ weight: 30, arbitrary: plain }, withReply);

/** What ends a connection, whatever stood before it; the broker says the same when it stands alone. */
const wrong = [
  'PUB a 3\r\nabcd\r\n',
  'PUB a\r\n',
  'PUB a 1 2 3\r\nx\r\n',
  'PUB a 2000000\r\n',
  'PUB a x1\r\nx\r\n',
  'PUX a 1\r\nx\r\n',
];

function shownOf(frame: Frame): string {
  if (frame.op !== 'MSG') throw new Error(`expected a message, got ${show(frame)}`);
  const { subject, reply, payload } = frame;
  return `${subject}${reply ? ` ${reply}` : ''} ${payload.toString('latin1')}`;
}

describe.each(shardCounts)('%i shards', (shards) => {
  test('however lines are written, cut and mixed, all that was published is delivered, as it was, and what is wrong is told', async () => {
    const broker = await inProcess({ shards });
    const port = portOf(broker);
    const subscriber = await RawClient.connect(port);
    await subscriber.exchange(taken.map((subject, i) => `SUB ${subject} ${i + 1}\r\n`).join(''));
    const warm = await RawClient.connect(port);
    const errors = new Map<string, string[]>();
    for (const text of wrong) errors.set(text, await endOf(await RawClient.connect(port), text));
    // those that are known before the first run
    for (let i = 0; i < 4; i++) await warm.exchange(taken.map((subject) => `PUB ${subject} 1\r\nx\r\n`).join(''));
    await subscriber.messages(4 * taken.length);
    let published = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 20, maxLength: 200 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        fc.constantFrom(...wrong),
        async (lines, cuts, last) => {
          const publisher = await RawClient.connect(port);
          const text = lines.map((each) => each.text).join('');
          const positions = [0, ...cuts.map((cut) => Math.floor(cut * text.length)).sort((a, b) => a - b), text.length];
          for (let i = 1; i < positions.length; i++)
            await publisher.sendAlone(text.slice(positions[i - 1], positions[i]));
          await publisher.exchange();
          const wanted = lines.filter(({ subject }) => taken.includes(subject));
          const received = (await subscriber.messages(wanted.length)).map(shownOf);
          for (const subject of taken) {
            const ofSubject = (shown: string) => shown.startsWith(`${subject} `);
            const expected = wanted.filter((each) => each.subject === subject).map(({ shown }) => shown);
            expect(received.filter(ofSubject)).toEqual(expected);
          }
          if (shards === 1) expect(received).toEqual(wanted.map(({ shown }) => shown));
          const before = 'PUB a 1\r\nx\r\nPUB ab 1\r\nx\r\nPUB a 1\r\nx\r\n';
          expect(await endOf(publisher, before + last)).toEqual(errors.get(last));
          await subscriber.messages(3);
          published += lines.length;
        },
      ),
      { numRuns },
    );
    const census = await broker.census();
    expect(census.reduce((sum, { kernelEncoded }) => sum + kernelEncoded, 0)).toBeGreaterThan(published / 4);
  });
});

/** What the broker says to a client whose last words are wrong. */
async function endOf(client: RawClient, words: string): Promise<string[]> {
  client.send(words);
  return client.expectClosed();
}
