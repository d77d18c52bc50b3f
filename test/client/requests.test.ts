import { codecs, NoRespondersError, RequestFailedError, TimeoutError } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { inProcess, portOf } from './broker.js';

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('a request is answered in the process', async () => {
    const broker = await inProcess({ listen: false, shards });
    broker.reply<number[], number>('sum', ({ value }) => value.reduce((a, b) => a + b, 0));
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => broker.request<number[], number>('sum', [i, 1])),
    );
    expect(answers.map(({ value }) => value)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test('requests and answers cross to NATS clients', async () => {
    const broker = await inProcess({ shards });
    const nats = await client(portOf(broker));
    nats.subscribe('upper', { callback: (_, message) => void message.respond(message.string().toUpperCase()) });
    broker.reply('lower', ({ value }) => value.toLowerCase(), { codec: codecs.utf8 });
    await nats.flush();
    expect((await broker.request('upper', 'abc', { codec: codecs.utf8 })).value).toBe('ABC');
    expect((await nats.request('lower', 'ABC')).string()).toBe('abc');
  });

  test('a request that nobody hears fails at once', async () => {
    const broker = await inProcess({ listen: false, shards });
    await expect(broker.request('nobody', 1)).rejects.toThrow(NoRespondersError);
  });
});

test('a request that nobody answers ends in time, or when it is aborted', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  const requests = broker.topic('silent').subscribe();
  await expect(broker.request('silent', 1, { timeoutMs: 5 })).rejects.toThrow(TimeoutError);
  const abort = new AbortController();
  const request = broker.request('silent', 1, { signal: abort.signal });
  await requests.next();
  await requests.next();
  abort.abort(new Error('enough'));
  await expect(request).rejects.toThrow('enough');
});

test('a handler that fails is told to who asked', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  broker.reply('fails', () => {
    throw new Error('no\r\nluck');
  });
  const request = broker.request('fails', 1);
  await expect(request).rejects.toThrow(RequestFailedError);
  await expect(request).rejects.toThrow('no luck');
});

test('an answer has the codec that is asked for', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  broker.reply<string, number>('length', ({ value }) => value.length, {
    codec: codecs.utf8,
    answer: { codec: codecs.json() },
  });
  const answer = await broker.request('length', 'abc', {
    codec: codecs.utf8,
    answer: { codec: codecs.json<number>() },
  });
  expect(answer.value).toBe(3);
});

test('responders in a group share the requests', async () => {
  const broker = await inProcess({ listen: false, shards: 2 });
  const served = [0, 0];
  for (const member of [0, 1])
    broker.reply('work', () => `${member} ${served[member]!++}`, { group: 'workers', codec: codecs.utf8 });
  await Promise.all(Array.from({ length: 40 }, () => broker.request('work', '', { codec: codecs.utf8 })));
  expect(served).toEqual([20, 20]);
});
