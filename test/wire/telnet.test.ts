import { expect, test } from 'vitest';
import { RawClient, talkUntilClosed } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours } from '../harness/target.js';

const server = useBroker();

test('without CONNECT everything works and is answered +OK', async () => {
  const client = await RawClient.open(server.port);
  expect(await client.exchange('SUB foo 1\r\n')).toEqual(['+OK']);
  const replies = await client.exchange('PUB foo 2\r\nhi\r\nUNSUB 1\r\n');
  // Whether the +OK of a PUB or the message it causes leaves first is not promised.
  expect(replies.sort()).toEqual(['+OK', '+OK', 'MSG foo 1 | hi']);
});

test('a person types one line at a time, ended by LF', async () => {
  const client = await RawClient.open(server.port);
  expect(await client.exchange('sub foo 1\n')).toEqual(['+OK']);
});

test('HPUB before CONNECT closes: headers were not agreed', async () => {
  const client = await RawClient.open(server.port);
  client.send('HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n');
  expect((await client.expectClosed()).filter((reply) => !reply.startsWith('-ERR'))).toEqual([]);
});

ours('another protocol is told what it is talking to', async () => {
  expect(await talkUntilClosed(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toEqual([
    "-ERR 'Unknown Protocol Operation'",
  ]);
});
