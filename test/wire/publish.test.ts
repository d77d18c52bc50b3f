import { describe, expect, test } from 'vitest';
import { RawClient, talk, talkUntilClosed } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours } from '../harness/target.js';

const server = useBroker();

test('a message goes to a subscriber, with its reply subject', async () => {
  expect(await talk(server.port, 'SUB foo 1\r\nPUB foo 2\r\nhi\r\nPUB foo re.ply 0\r\n\r\n')).toEqual([
    'MSG foo 1 | hi',
    'MSG foo 1 re.ply | ',
  ]);
});

test('it goes to subscribers on every connection', async () => {
  const others = await Promise.all([1, 2, 3, 4, 5].map(() => RawClient.connect(server.port)));
  for (const other of others) await other.exchange('SUB foo 1\r\n');
  await talk(server.port, 'PUB foo 2\r\nhi\r\n');
  for (const other of others) expect(await other.exchange()).toEqual(['MSG foo 1 | hi']);
});

test('the payload is bytes: CR, LF, NUL, operations and high bytes pass through', async () => {
  const payload = '\0\r\n\xff\r\nPUB foo 1\r\n';
  expect(await talk(server.port, `SUB foo 1\r\nPUB foo ${payload.length}\r\n${payload}\r\n`)).toEqual([
    `MSG foo 1 | ${payload}`,
  ]);
});

test('leading zeroes of a size are accepted', async () => {
  expect(await talk(server.port, 'SUB foo 1\r\nPUB foo 0002\r\nhi\r\n')).toEqual(['MSG foo 1 | hi']);
});

test('payloads of every size class arrive whole, in order', async () => {
  const client = await RawClient.connect(server.port);
  await client.exchange('SUB foo 1\r\n');
  for (const size of [0, 1, 63, 64, 65, 1000, 4095, 4096, 4097, 65_535, 65_536, 65_537, 500_000, 1_048_576]) {
    const payload = Buffer.alloc(size, `${size}.`);
    client.send(Buffer.concat([Buffer.from(`PUB foo ${size}\r\n`), payload, Buffer.from('\r\n')]));
    const [message] = await client.messages(1);
    expect(message?.payload.equals(payload)).toBe(true);
  }
});

test('many small messages in one segment arrive in order', async () => {
  const client = await RawClient.connect(server.port);
  await client.exchange('SUB foo 1\r\n');
  let bytes = '';
  for (let i = 0; i < 20_000; i++) bytes += `PUB foo ${String(i).length}\r\n${i}\r\n`;
  client.send(bytes);
  const numbers = (await client.messages(20_000)).map(({ payload }) => Number(payload));
  expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
});

describe('arguments that make no sense close the connection', () => {
  const lines = [
    'PUB foo',
    'PUB foo a b 2',
    'PUB foo x',
    'PUB foo -1',
    'PUB foo -0',
    'PUB foo +2',
    'PUB foo 0x2',
    'PUB foo 2.0',
    'PUB foo 1e1',
    'PUB foo NaN',
    'PUB foo Infinity',
    'PUB foo 99999999999999999999',
    'PUB foo 18446744073709551618',
    'PUB   ',
    'HPUB foo 2',
    'HPUB foo a b 1 2',
    'HPUB foo 9 2',
    'HPUB foo -1 2',
    'HPUB foo 1 -2',
    'HPUB foo x 2',
    'HPUB foo 2 x',
    'HPUB foo 99999999999999999999 99999999999999999999',
  ];
  test.each(lines)('%s', async (line) => {
    const replies = await talkUntilClosed(server.port, `${line}\r\nhi\r\nPING\r\n`);
    expect(replies.filter((reply) => !reply.startsWith('-ERR'))).toEqual([]);
  });
  ours.each(lines)('%s: and says why', async (line) => {
    expect(await talkUntilClosed(server.port, `${line}\r\nhi\r\nPING\r\n`)).toEqual(["-ERR 'Parser Error'"]);
  });
});

test.each([
  ['other bytes in place of CR LF', 'hixxPING\r\n'],
  ['LF alone', 'hi\nPING\r\n'],
  ['CR and something else', 'hi\r\rPING\r\n'],
  ['a payload longer than said', 'hi!\r\nPING\r\n'],
  ['a payload shorter than said', 'h\r\nPING\r\n'],
])('after the payload: %s closes', async (_, rest) => {
  const replies = await talkUntilClosed(server.port, `SUB foo 1\r\nPUB foo 2\r\n${rest}`);
  expect(replies).toEqual(["-ERR 'Unknown Protocol Operation'"]);
});
