import { expect, test } from 'vitest';
import { RawClient, talk, talkUntilClosed } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';

const server = useBroker();
const unknown = ["-ERR 'Unknown Protocol Operation'"];

test.each([
  'FOO bar',
  'PUX',
  'PUBX foo 1',
  'SUBX foo 1',
  '',
  ' PING',
  '\tPING',
  '\0',
  'A+ x',
  'RS+ x',
  'LS+ x',
  'MSG foo 1 2',
  'HMSG foo 1 12 14',
  'CONNEXT {}',
  '{"command":"SUB"}',
  '\xff\xfe',
])('%j is no operation: the connection is ended', async (line) => {
  expect(await talkUntilClosed(server.port, `${line}\r\nPING\r\n`)).toEqual(unknown);
});

test('what came before the bad operation is done, what comes after is not', async () => {
  const other = await RawClient.connect(server.port);
  await other.exchange('SUB a 1\r\n');
  expect(await talkUntilClosed(server.port, 'PUB a 1\r\n1\r\nPING\r\nBAD\r\nPUB a 1\r\n2\r\n')).toEqual([
    'PONG',
    ...unknown,
  ]);
  // The connection is gone, so nothing of it can still be on its way.
  expect(await other.exchange()).toEqual(['MSG a 1 | 1']);
});

test('names are taken in any case', async () => {
  const lines =
    'connect {"verbose":false}\r\nsub foo 1\r\nPuB foo 2\r\nhi\r\nhpub foo 12 12\r\nNATS/1.0\r\n\r\n\r\nunSUB 1\r\npong\r\nping\r\n';
  const client = await RawClient.connect(server.port);
  client.send(lines);
  expect(await client.exchange()).toEqual(['MSG foo 1 | hi', 'MSG foo 1 {NATS/1.0\r\n\r\n} | ']);
});

test('arguments are separated by any spaces and tabs', async () => {
  const lines =
    'SUB\tfoo\t1\r\nSUB  foo \t q\t 2  \r\nPUB \t foo \t r.s\t2 \t\r\nhi\r\nUNSUB  1 \t\r\nUNSUB\t2\r\nPUB foo 0\r\n\r\n';
  const replies = await talk(server.port, lines);
  expect(replies.sort()).toEqual(['MSG foo 1 r.s | hi', 'MSG foo 2 r.s | hi']);
});

test('LF alone ends a control line', async () => {
  expect(await talk(server.port, 'SUB foo 1\nPUB foo 2\nhi\r\nPING\n')).toEqual(['MSG foo 1 | hi']);
});

test('what follows PING, PONG or +OK up to the end of the line is ignored', async () => {
  const client = await RawClient.connect(server.port);
  client.send('PONG abc\r\n+OK x\r\nPING xyz\r\n');
  expect(await client.exchange()).toEqual([]);
  expect(await client.exchange()).toEqual([]);
});

test('INFO from a client is ignored', async () => {
  expect(await talk(server.port, 'INFO {"max_payload":1}\r\nSUB a 1\r\nPUB a 2\r\nhi\r\n')).toEqual(['MSG a 1 | hi']);
});

test('-ERR from a client ends its connection', async () => {
  expect(await talkUntilClosed(server.port, "-ERR 'x'\r\nPING\r\n")).toEqual([]);
});
