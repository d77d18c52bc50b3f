import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import type { Topic } from '../../src/router/topic.js';
import type { Service } from '../../src/shard/services.js';
import { AnswerQueues } from '../../src/shard/streams/answerQueues.js';
import { ApiService } from '../../src/shard/streams/apiService.js';
import { AckTexts } from '../../src/shard/streams/pubAck.js';
import { Slices } from '../../src/shard/streams/slices.js';

// Invariant 42 of docs/INVARIANTS.md.

const reply = '_INBOX.a.b';

/** A service whose shard has a turn only when it is given one. */
/** What may wait, in bytes. */
const requestBytesMax = 16 * 1024 * 1024;

function startService() {
  const said: string[] = [];
  const voice = {
    say: (span: Span, _start: number, end: number, message: MessageView) => {
      said.push(Buffer.from(span.bytes.subarray(end, message.ends[0])).toString());
      return 'said' as const;
    },
    sayAll: () => 'apart' as const,
  };
  let service!: Service;
  const services = {
    open: (_: unknown, opened: Service) => {
      service = opened;
    },
  };
  const answers = new AnswerQueues(voice, new AckTexts(''));
  const slices = new Slices(() => {});
  const server = { version: '0', level: 0, serverName: '', domain: '' };
  const streams = { answered: 0, failed: 0, peek: () => null };
  const audits = { tell: () => {} };
  const api = new ApiService({
    services,
    answers,
    server,
    streams,
    slices,
    requestTurn: () => {},
    requestBytesMax,
    audits,
  });
  const ask = (body: string): void => {
    const bytes = latin1Bytes(`${reply}${body}\r\n`);
    const view = new MessageView();
    view.set(new Span(bytes), reply.length, reply.length + body.length);
    view.setReply(0, reply.length);
    service.onRequests({ text: '$JS.API.ECHO' } as Topic, view);
  };
  const turn = async (): Promise<void> => {
    slices.doWork();
    await new Promise(setImmediate);
    answers.doWork();
  };
  return { api, ask, said, slices, turn };
}

test('requests begin in slices of turns, in order; beyond what may wait they are refused, and go on when there is room', async () => {
  const { api, ask, said, slices, turn } = startService();
  const begun: number[] = [];
  api.open({
    pattern: 'ECHO',
    answerer: 'decider',
    type: 'echo',
    handle: ({ body }) => {
      begun.push(Number.parseInt(body, 10));
      return { number: Number.parseInt(body, 10) };
    },
    whenFailed: { number: null },
  });
  const padding = ' '.repeat(1_000_000);
  const fitting = Math.floor(requestBytesMax / 1_001_030) + 1;
  for (let i = 0; i < fitting + 10; i++) ask(`${i}${padding}`);
  expect(begun).toEqual([]);
  await turn();
  const refused = said.filter((text) => text.includes('"err_code":10023'));
  expect(refused).toHaveLength(10);
  expect(refused[0]).toContain('"number":null');
  while (!slices.quiet) await turn();
  expect(begun).toEqual(Array.from({ length: fitting }, (_, i) => i));
  expect(said).toHaveLength(fitting + 10);
  ask('7');
  do await turn();
  while (!slices.quiet);
  expect(said.at(-1)).toBe('{"type":"io.nats.jetstream.api.v1.echo_response","number":7}');
});
