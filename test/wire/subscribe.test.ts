import { describe, expect, test } from 'vitest';
import { RawClient, talk, talkUntilClosed } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours } from '../harness/target.js';

const server = useBroker();

test('a sid is any text', async () => {
  expect(await talk(server.port, 'SUB foo abc-1.x\r\nPUB foo 1\r\ny\r\n')).toEqual(['MSG foo abc-1.x | y']);
});

test('each matching subscription of a connection gets its copy', async () => {
  const replies = await talk(server.port, 'SUB foo 1\r\nSUB foo 2\r\nSUB * 3\r\nSUB > 4\r\nPUB foo 1\r\nx\r\n');
  expect(replies.sort()).toEqual(['MSG foo 1 | x', 'MSG foo 2 | x', 'MSG foo 3 | x', 'MSG foo 4 | x']);
});

test('a sid in use keeps its first subject', async () => {
  expect(await talk(server.port, 'SUB foo 1\r\nSUB bar 1\r\nPUB bar 1\r\nb\r\nPUB foo 1\r\na\r\n')).toEqual([
    'MSG foo 1 | a',
  ]);
});

test('the same SUB twice is one subscription', async () => {
  expect(await talk(server.port, 'SUB foo 1\r\nSUB foo 1\r\nPUB foo 1\r\na\r\n')).toEqual(['MSG foo 1 | a']);
});

test('a subscription sees nothing that was published before it', async () => {
  expect(await talk(server.port, 'PUB foo 1\r\na\r\nSUB foo 1\r\nPUB foo 1\r\nb\r\n')).toEqual(['MSG foo 1 | b']);
});

test('nothing is left of a connection that went away', async () => {
  const gone = await RawClient.connect(server.port);
  await gone.exchange('SUB gone 1\r\nSUB gone.> q 2\r\n');
  gone.close();
  const client = await RawClient.connect(server.port);
  await client.exchange('SUB _R 5\r\n');
  // The broker learns of the end in its own time: ask until nobody answers, each question being an exchange.
  for (;;) if ((await client.exchange('PUB gone _R 0\r\n\r\n')).length > 0) break;
  expect(await client.exchange('PUB gone _R 0\r\n\r\n')).toHaveLength(1);
});

describe('arguments that make no sense close the connection', () => {
  const lines = ['SUB foo', 'SUB foo a b c', 'SUB   ', 'UNSUB 1 2 3', 'UNSUB  '];
  test.each(lines)('%s', async (line) => {
    const replies = await talkUntilClosed(server.port, `${line}\r\nPING\r\n`);
    expect(replies.filter((reply) => !reply.startsWith('-ERR'))).toEqual([]);
  });
  ours.each(lines)('%s: and says why', async (line) => {
    expect(await talkUntilClosed(server.port, `${line}\r\nPING\r\n`)).toEqual(["-ERR 'Parser Error'"]);
  });
});

test.each(['SUB', 'UNSUB', 'PUB', 'HPUB'])('%s without anything is an unknown operation', async (name) => {
  expect(await talkUntilClosed(server.port, `${name}\r\nPING\r\n`)).toEqual(["-ERR 'Unknown Protocol Operation'"]);
});
