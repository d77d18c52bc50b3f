import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { randomFrom } from '../sim/random.js';

// Invariants 42 and 44 of docs/INVARIANTS.md.

let data: string;

beforeEach(() => {
  data = mkdtempSync(`${tmpdir()}/shardcast-data-`);
});

afterEach(() => rmSync(data, { recursive: true }));

const streams = {
  disk: { subjects: ['disk.>'] },
  other: { subjects: ['other.>'] },
  // one that looks at what it takes, and one that is not on disk
  small: { subjects: ['small.>'], max_msg_size: 20 },
  quick: { subjects: ['quick.>'], storage: 'memory' as const },
};

interface Line {
  readonly subject: string;
  readonly payload: string;
  readonly form: 'reply' | 'headless' | 'other reply' | 'silent' | 'headers' | 'batch';
}

/** Lines of one form follow each other: by `PUB`, or as some clients say it, by `HPUB` with headers of no bytes. */
const stretch = 40;
/** Replies that end as one to a batch does, which is refused, or nearly so. */
const ends = ['', 'I', 'FI'];

/** Most go to one stream, on subjects in turn; what is between them does not. */
function randomLines(random: (bound: number) => number, count: number): Line[] {
  return Array.from({ length: count }, (_, i) => {
    const name = random(12) > 0 ? 'disk' : ['other', 'small', 'quick', 'plain'][random(4)]!;
    const token = random(40) === 0 ? 'wanted' : `${random(30)}`;
    const usual = Math.floor(i / stretch) % 2 === 0 ? 'reply' : 'headless';
    const form =
      random(20) > 0 ? usual : (['other reply', 'silent', 'headers', 'reply', 'headless'] as const)[random(5)]!;
    return { subject: `${name}.${token}`, payload: `${i}`.padEnd(random(30), '.'), form };
  });
}

function replyOf({ form }: Line, index: number): string {
  if (form === 'batch') return 'in.$FI';
  return `${form === 'other reply' ? 'elsewhere' : 'in'}.${index}${ends[index % ends.length]}`;
}

function textOf(line: Line, index: number): string {
  const { subject, payload, form } = line;
  const reply = replyOf(line, index);
  const block = 'NATS/1.0\r\nA: b\r\n\r\n';
  if (form === 'silent') return `PUB ${subject} ${payload.length}\r\n${payload}\r\n`;
  if (form === 'headers')
    return `HPUB ${subject} ${reply} ${block.length} ${block.length + payload.length}\r\n${block}${payload}\r\n`;
  if (form === 'headless') return `HPUB ${subject} ${reply} 0 ${payload.length}\r\n${payload}\r\n`;
  return `PUB ${subject} ${reply} ${payload.length}\r\n${payload}\r\n`;
}

/** What streams have when they have taken the lines in their order, and what each line is answered. */
function expectedOf(lines: readonly Line[]): { stored: Map<string, Line[]>; answers: Map<string, object> } {
  const stored = new Map<string, Line[]>(Object.keys(streams).map((name) => [name, []]));
  const answers = new Map<string, object>();
  for (const [i, line] of lines.entries()) {
    const stream = line.subject.split('.')[0]!;
    const taken = stored.get(stream);
    if (taken === undefined) continue;
    const bytes = line.payload.length + (line.form === 'headers' ? 18 : 0);
    const isTaken = line.form !== 'batch' && (stream !== 'small' || bytes <= 20);
    if (isTaken) taken.push(line);
    const description = line.form === 'batch' ? 'batch publish is disabled' : 'message size exceeds maximum allowed';
    const error = expect.objectContaining({ description });
    if (line.form !== 'silent')
      answers.set(replyOf(line, i), isTaken ? { stream, seq: taken.length } : { error, stream, seq: 0 });
  }
  return { stored, answers };
}

test.each([1, 2, 4])(
  'what follows on other subjects is stored in its order, answered and seen as if each came alone, %i shards',
  async (shards) => {
    const broker = await Broker.start({ shards, args: ['--data', data] });
    const connection = await client(broker.port);
    const manager = await jetstreamManager(connection as never);
    for (const [name, config] of Object.entries(streams)) await manager.streams.add({ name, ...config });
    const lines = randomLines(randomFrom(shards), 600);
    lines[500] = { subject: 'disk.7', payload: 'to a batch', form: 'batch' };
    const { stored, answers } = expectedOf(lines);
    const watcher = await RawClient.connect(broker.port);
    await watcher.exchange('SUB *.wanted 1\r\nSUB plain.> 2\r\nSUB elsewhere.> 3\r\n');
    const publisher = await RawClient.connect(broker.port);
    // subjects that are not known, then those that are
    const half = lines.length / 2;
    await publisher.exchange('SUB in.* 1\r\n');
    for (const part of [lines.slice(0, half), lines.slice(half)])
      publisher.send(part.map((line) => textOf(line, lines.indexOf(line))).join(''));

    const inboxes = [...answers.keys()].filter((reply) => reply.startsWith('in.'));
    const seen = await publisher.messages(inboxes.length);
    const others = answers.size - inboxes.length;
    const watched = lines.filter(({ subject }) => subject.endsWith('.wanted') || subject.startsWith('plain.'));
    const plainAndWanted = lines.filter(({ subject }) => subject === 'plain.wanted').length;
    const shown = await watcher.messages(others + watched.length + plainAndWanted);
    for (const { subject, payload } of [...seen, ...shown.filter(({ sid }) => sid === '3')])
      expect(JSON.parse(payload.toString()), subject).toEqual(answers.get(subject));
    for (const stream of Object.keys(streams)) {
      const payloads = (from: readonly { subject: string; payload: string | Buffer }[]) =>
        from.filter(({ subject }) => subject === `${stream}.wanted`).map(({ payload }) => payload.toString());
      expect(payloads(shown)).toEqual(payloads(stored.get(stream)!));
    }
    for (const [name, wanted] of stored) {
      expect((await manager.streams.info(name)).state.messages).toBe(wanted.length);
      const found = await Promise.all(wanted.map((_, i) => manager.streams.getMessage(name, { seq: i + 1 })));
      expect(found.map((message) => [message?.subject, message?.string()])).toEqual(
        wanted.map(({ subject, payload }) => [subject, payload]),
      );
    }
    expect((await broker.stop()).code).toBe(0);
  },
);
