import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { deletedDetailsMax } from '../../src/base/limits.js';
import { MessageView } from '../../src/base/messageView.js';
import { publishedSubject } from '../../src/base/publishedSubject.js';
import { Span } from '../../src/base/span.js';
import { Work } from '../../src/base/work.js';
import { MemoryStorages } from '../../src/log/memoryStorage.js';
import type { Endpoint } from '../../src/router/services.js';
import type { Topic } from '../../src/router/topic.js';
import type { Service } from '../../src/shard/services.js';
import { AnswerQueues } from '../../src/shard/streams/answerQueues.js';
import { ApiService } from '../../src/shard/streams/apiService.js';
import { Capture } from '../../src/shard/streams/capture.js';
import { DeferralQueues } from '../../src/shard/streams/deferralQueues.js';
import { DirectGets } from '../../src/shard/streams/directGets.js';
import { OneByOne } from '../../src/shard/streams/oneByOne.js';
import { AckTexts } from '../../src/shard/streams/pubAck.js';
import { ShardStreams } from '../../src/shard/streams/shardStreams.js';
import { Slices } from '../../src/shard/streams/slices.js';
import { streamEndpoints } from '../../src/shard/streams/streamEndpoints.js';
import { ample, configOf, messageOf } from '../stream/streams.js';

// Invariant 42 of docs/INVARIANTS.md.

const reply = '_INBOX.a.b';

/** What may wait of requests, and of answers, in bytes. */
const requestBytesMax = 64 * 1024 * 1024;

/** A shard with streams in memory, whose answers leave when there is room. */
function startShard() {
  const state = { room: false, turnsAsked: 0 };
  const said: string[] = [];
  const voice = {
    say: (span: Span, _start: number, end: number, message: MessageView) => {
      if (!state.room) return 'no-room' as const;
      said.push(Buffer.from(span.bytes.subarray(end, message.ends[0])).toString('latin1'));
      return 'said' as const;
    },
    sayAll: () => 'apart' as const,
    pass: () => true,
  };
  const requestTurn = () => state.turnsAsked++;
  const services = new Map<string, Service>();
  const answers = new AnswerQueues(voice, new AckTexts(''));
  const slices = new Slices(requestTurn);
  const server = { version: '0', level: 0, serverName: '', domain: '' };
  const clock = { nowUs: () => 1, notBefore: () => {} };
  const nobody = () => {};
  const deferral = new DeferralQueues(voice, nobody);
  const parts = { answers, deferral, work: new Work(), onRefused: nobody, onTraced: nobody, onBehind: nobody };
  const capture = new Capture(parts, clock, '');
  const streams = new ShardStreams({
    storages: { memory: new MemoryStorages(), synced: null, buffered: null },
    memory: ample,
    capture,
    slices,
    upkeep: slices,
    clock,
    onResumed: () => {},
    onGone: () => {},
    reports: { onCommitted: nobody, onFailed: nobody },
  });
  const open = ({ pattern }: Endpoint, service: Service) => void services.set(pattern, service);
  const audits = { tell: nobody };
  const api = new ApiService({
    services: { open },
    answers,
    server,
    streams,
    slices,
    requestTurn,
    requestBytesMax,
    audits,
  });
  const site = { streams, slices, clock, server, detailed: new OneByOne() };
  for (const endpoint of streamEndpoints(site)) api.open(endpoint);
  new DirectGets(site, api).open();
  const ask = (pattern: string, request: object): void => {
    const body = JSON.stringify(request);
    const view = new MessageView();
    view.set(new Span(latin1Bytes(`${reply}${body}\r\n`)), reply.length, reply.length + body.length);
    view.setReply(0, reply.length);
    services.get(`$JS.API.${pattern}.*`)!.onRequests({ text: `$JS.API.${pattern}.S` } as Topic, view);
  };
  /** Turns, until all is done that can be. */
  const rest = async (): Promise<void> => {
    for (let before = -1; before !== state.turnsAsked; ) {
      before = state.turnsAsked;
      for (let more = true; more; ) {
        more = slices.doWork();
        await new Promise(setImmediate);
      }
      answers.doWork();
      await new Promise(setImmediate);
    }
  };
  const create = async (given: object) => {
    await streams.create(configOf(given));
    return await streams.get('S');
  };
  return { state, said, api, answers, slices, ask, rest, create };
}

test('a batch of direct gets waits for what it has said, without asking for turns meanwhile', async () => {
  const { state, said, slices, ask, rest, create } = startShard();
  const stream = await create({ allow_direct: true });
  const payload = 'x'.repeat(100_000);
  const subject = publishedSubject('s');
  for (let i = 0; i < 40; i++) stream.publish(subject, messageOf({}, payload), 0, 1);
  ask('DIRECT.GET', { batch: 100, seq: 1 });
  await rest();
  const asked = state.turnsAsked;
  expect([slices.doWork(), slices.quiet, said.length]).toEqual([false, false, 0]);
  await rest();
  expect(state.turnsAsked).toBe(asked);
  state.room = true;
  while (!slices.quiet) await rest();
  await rest();
  expect(said.filter((text) => text.includes(payload))).toHaveLength(40);
  expect(said.at(-1)).toContain('204 EOB');
});

test('what cannot be said takes no more than its bound: long answers beyond it are refused, short ones are not', async () => {
  const { state, said, api, answers, ask, rest, create } = startShard();
  await create({});
  const text = 'x'.repeat(5_000_000);
  api.open({
    pattern: 'ECHO.*',
    answerer: 'owner',
    type: 'echo',
    handle: () => ({ text }),
    whenFailed: { text: null },
  });
  const fitting = Math.floor(requestBytesMax / (text.length + 1_000));
  for (let i = 0; i < fitting + 5; i++) ask('ECHO', {});
  await rest();
  ask('STREAM.INFO', {});
  await rest();
  expect(answers.bytes).toBeLessThan(requestBytesMax);
  state.room = true;
  await rest();
  expect(said.map((each) => each.length > text.length)).toEqual([
    ...Array.from({ length: fitting }, () => true),
    ...Array.from({ length: 6 }, () => false),
  ]);
  for (const refused of said.slice(fitting, fitting + 5)) expect(refused).toMatch(/"err_code":10023.*"text":null/);
  expect(said.at(-1)).toContain('"messages":0');
});

test('a stream that has more deleted messages than an answer lists tells how many, and nothing runs on for them', async () => {
  const { state, said, ask, rest, create } = startShard();
  const stream = await create({});
  const subject = publishedSubject('s');
  stream.publish(subject, messageOf({}, ''), 0, 1);
  stream.storage.skipTo(2 ** 40);
  stream.publish(subject, messageOf({}, ''), 0, 1);
  state.room = true;
  ask('STREAM.INFO', { deleted_details: true });
  ask('STREAM.INFO', {});
  await rest();
  expect(2 ** 40).toBeGreaterThan(deletedDetailsMax);
  expect(said.find((text) => text.includes('"err_code":10023'))).toBeDefined();
  expect(said.find((text) => text.includes(`"num_deleted":${2 ** 40 - 2}`))).toBeDefined();
});
