import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Frame, show } from '../harness/frames.js';
import { type ConnectOptions, connectLine, RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';

/** `DIFF_RUNS=5000 DIFF_SEED=…` for more; a failure prints its seed and its shortest transcript. */
const parameters = { seed: Number(process.env.DIFF_SEED ?? 20_260_101), numRuns: Number(process.env.DIFF_RUNS ?? 300) };
const connections = 3;

interface Step {
  /** Which of the connections speaks. */
  readonly who: number;
  readonly bytes: string;
}

interface Transcript {
  readonly options: readonly ConnectOptions[];
  readonly steps: readonly Step[];
}

const token = fc.constantFrom('a', 'b', 'c', 'A', '*', '>', '', 'a*', 'x>', '$J');
const literal = fc.constantFrom('a', 'b', 'c', 'A', 'a*');
const subject = fc
  .array(fc.oneof({ weight: 6, arbitrary: literal }, token), { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join('.'));
// '$' first is where we differ on purpose.
const anySubject = subject.filter((text) => text !== '' && !text.startsWith('$'));
const clean = fc.array(literal, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const sid = fc.integer({ min: 1, max: 6 }).map(String);
// Which member gets a message is chance in both, so queue subscriptions have sids of their own and no max.
const queueSid = fc.integer({ min: 100, max: 103 }).map(String);
const gap = fc.constantFrom(' ', '  ', '\t', ' \t ');
const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n');
const payload = fc.constantFrom('', 'x', 'hello', '\r\n', 'PUB a 1\r\n', '\0\xff', 'y'.repeat(300));
const block = fc.constantFrom('NATS/1.0\r\n\r\n', 'NATS/1.0\r\nA: b\r\n\r\n', 'odd', '');
const reply = fc.constantFrom('', '', 'r.1', 'r.2', 'a.b', 'a');

const command: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(anySubject, sid, gap, end).map(([s, id, g, e]) => `SUB${g}${s}${g}${id}${e}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(anySubject, fc.constantFrom('q', 'r'), queueSid, end)
      .map(([s, q, id, e]) => `SUB ${s} ${q} ${id}${e}`),
  },
  { weight: 1, arbitrary: fc.tuple(fc.oneof(sid, queueSid), end).map(([id, e]) => `UNSUB ${id}${e}`) },
  { weight: 2, arbitrary: fc.tuple(sid, fc.integer({ min: -1, max: 4 })).map(([id, max]) => `UNSUB ${id} ${max}\r\n`) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.oneof(clean, anySubject), reply, payload, gap, end)
      .map(([s, r, p, g, e]) => `PUB ${s}${g}${r}${r && g}${p.length}${e}${p}\r\n`),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(clean, reply, block, payload)
      .map(([s, r, h, p]) => `HPUB ${s} ${r} ${h.length} ${h.length + p.length}\r\n${h}${p}\r\n`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'PING\r\n',
      'ping\n',
      'PONG\r\n',
      '+OK\r\n',
      'INFO {}\r\n',
      'CONNECT {"verbose":false}\r\n',
      'CONNECT {"echo":true}\r\n',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'PUB a x\r\n',
      'SUB a\r\n',
      'BAD\r\n',
      '\r\n',
      'PUB a 2\r\nabc\r\n',
      'UNSUB\r\n',
      'PUB a -1\r\n',
      'CONNECT {\r\n',
      'HPUB a 3 2\r\n',
      'CONNECT {"protocol":3}\r\n',
    ),
  },
);

const options: fc.Arbitrary<ConnectOptions> = fc
  .record({ verbose: fc.boolean(), echo: fc.boolean(), headers: fc.boolean(), no_responders: fc.boolean() })
  .map((record) => ({ ...record, no_responders: record.no_responders && record.headers }));

const transcript: fc.Arbitrary<Transcript> = fc.record({
  options: fc.array(options, { minLength: connections, maxLength: connections }),
  steps: fc.array(fc.record({ who: fc.integer({ min: 0, max: connections - 1 }), bytes: command }), {
    minLength: 1,
    maxLength: 40,
  }),
});

const isMark = (frame: Frame): boolean => frame.op === '-ERR' && frame.text === 'Invalid Subject';

/** The frames one step caused on one connection, or that it ended. */
async function observe(client: RawClient): Promise<Frame[] | 'closed'> {
  if (client.closed) return 'closed';
  client.send('PING\r\n');
  try {
    // A step may hold a PING or the mark's mistake of its own, but never both: the mark is the error behind a PONG.
    client.send('SUB a..mark 999\r\n');
    const before = await client.readUntil((frame) => frame.op === 'PONG', 'PONG');
    const after = await client.readUntil(isMark, 'the mark');
    return [...before, ...after.slice(0, -1)];
  } catch (error) {
    if (client.closed) return 'closed';
    throw error;
  }
}

/** What is compared: as a set, for neither server promises an order between subscriptions, and without what is chance. */
function comparable(frames: readonly Frame[]): string[] {
  return frames
    .filter(({ op }) => op !== 'INFO' && op !== 'PING')
    .map((frame) => {
      if (frame.op !== 'MSG') return show(frame);
      const noResponders = frame.headers?.toString('latin1').startsWith('NATS/1.0 503');
      return show({ ...frame, sid: noResponders ? 'any' : frame.sid });
    })
    .sort();
}

async function play(port: number, { options, steps }: Transcript): Promise<string[][]> {
  const clients = await Promise.all(options.map(() => RawClient.open(port)));
  const log: string[][] = [];
  for (const [i, client] of clients.entries()) client.send(connectLine(options[i]));
  for (const client of clients) log.push(comparable((await observe(client)) as Frame[]));
  for (const { who, bytes } of steps) {
    const speaker = clients[who] as RawClient;
    if (!speaker.closed) speaker.send(bytes);
    const seen: (readonly [number, Frame[] | 'closed'])[] = [];
    // The speaker first: its answer means that what it published is on its way to the others.
    for (const i of [who, ...clients.keys()].filter((id, at, all) => all.indexOf(id) === at))
      seen.push([i, await observe(clients[i] as RawClient)]);
    log.push(summary(seen));
  }
  for (const client of clients) client.close();
  return log;
}

/** Per connection what it got; queue deliveries for all connections together, for the member is chance. */
function summary(seen: readonly (readonly [number, Frame[] | 'closed'])[]): string[] {
  const queued = (frame: Frame): boolean => frame.op === 'MSG' && Number(frame.sid) >= 100;
  const lines: string[] = [];
  for (const [i, frames] of seen) {
    if (frames === 'closed') lines.push(`${i}: closed`);
    else lines.push(...comparable(frames.filter((frame) => !queued(frame))).map((line) => `${i}: ${line}`));
    if (frames === 'closed') continue;
    for (const frame of frames)
      if (frame.op === 'MSG' && queued(frame))
        lines.push(`queue: ${frame.subject} ${frame.reply} ${frame.payload.toString('latin1')}`);
  }
  return lines.sort();
}

let nats: Broker;

beforeAll(async () => {
  nats = await Broker.start({ oracle: true });
});

afterAll(() => nats.stop());

// SHARDCAST_TEST_TARGET=nats-server compares nats-server with itself: that shows that only what is promised is compared.
describe.each([1, 3])('%i shards', (shards) => {
  test('the same transcript, the same answers as nats-server', { timeout: 600_000 }, async () => {
    const broker = await Broker.start({ shards });
    await fc.assert(
      fc.asyncProperty(transcript, async (script) => {
        const [theirs, our] = [await play(nats.port, script), await play(broker.port, script)];
        expect(our).toEqual(theirs);
      }),
      parameters,
    );
    await broker.stop();
  });
});
