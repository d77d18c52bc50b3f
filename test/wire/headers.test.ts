import { expect, test } from 'vitest';
import type { Message } from '../harness/frames.js';
import { RawClient, talk, talkUntilClosed } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';

const server = useBroker();
const block = 'NATS/1.0\r\nA: b\r\na: \xff  \r\nA:\r\n\r\n';

function hpub(subject: string, headers: string, payload: string): string {
  return `HPUB ${subject} ${headers.length} ${headers.length + payload.length}\r\n${headers}${payload}\r\n`;
}

test('headers and payload arrive as sent', async () => {
  expect(await talk(server.port, `SUB foo 1\r\n${hpub('foo', block, 'hi')}${hpub('foo re.ply', block, '')}`)).toEqual([
    `MSG foo 1 {${block}} | hi`,
    `MSG foo 1 re.ply {${block}} | `,
  ]);
});

test('the block is bytes: what is in it is not looked at', async () => {
  for (const odd of ['abcde', '\0\r\n\xff', 'NATS/1.0 503 x\r\n\r\n', '\r\n']) {
    expect(await talk(server.port, `SUB foo 1\r\n${hpub('foo', odd, 'p')}`)).toEqual([`MSG foo 1 {${odd}} | p`]);
  }
});

test('a header size of 0 is a plain message', async () => {
  expect(await talk(server.port, 'SUB foo 1\r\nHPUB foo 0 2\r\nhi\r\n')).toEqual(['MSG foo 1 | hi']);
});

test('plain and headed messages of one subject keep their order', async () => {
  const client = await RawClient.connect(server.port);
  const bytes = `PUB foo 1\r\na\r\n${hpub('foo', block, 'b')}PUB foo 1\r\nc\r\n${hpub('foo', block, 'd')}`;
  const payloads = (await client.exchange(`SUB foo 1\r\n${bytes.repeat(200)}`)).map((line) => line.slice(-1));
  expect(payloads.join('')).toBe('abcd'.repeat(200));
});

test('a connection without headers gets the message without them', async () => {
  const plain = await RawClient.connect(server.port, { headers: false, no_responders: false });
  await plain.exchange('SUB strip 1\r\n');
  await talk(server.port, hpub('strip', block, 'hi') + hpub('strip re.ply', block, ''));
  expect(await plain.exchange()).toEqual(['MSG strip 1 | hi', 'MSG strip 1 re.ply | ']);
});

test('large headers and a large payload', async () => {
  const client = await RawClient.connect(server.port);
  await client.exchange('SUB big 1\r\n');
  const headers = `NATS/1.0\r\nX: ${'h'.repeat(60_000)}\r\n\r\n`;
  client.send(hpub('big', headers, 'p'.repeat(900_000)));
  const [message] = (await client.messages(1)) as [Message];
  expect(message.headers?.toString('latin1') === headers).toBe(true);
  expect(message.payload.equals(Buffer.alloc(900_000, 'p'))).toBe(true);
});

test('headers count as payload', async () => {
  expect(await talkUntilClosed(server.port, 'HPUB foo 12 1048577\r\n')).toEqual(["-ERR 'Maximum Payload Violation'"]);
});
