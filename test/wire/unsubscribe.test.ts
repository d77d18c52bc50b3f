import { expect, test } from 'vitest';
import { RawClient, talk } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';

const server = useBroker();
const publish = (...payloads: string[]): string =>
  payloads.map((text) => `PUB foo ${text.length}\r\n${text}\r\n`).join('');
const got = (...payloads: string[]): string[] => payloads.map((text) => `MSG foo 1 | ${text}`);

test('UNSUB ends a subscription at once', async () => {
  expect(await talk(server.port, `SUB foo 1\r\n${publish('a')}UNSUB 1\r\n${publish('b')}`)).toEqual(got('a'));
});

test('a sid can be used again after it ended', async () => {
  expect(
    await talk(server.port, `SUB foo 1\r\nUNSUB 1\r\nUNSUB 1\r\n${publish('a')}SUB foo 1\r\n${publish('b')}`),
  ).toEqual(got('b'));
});

test('an unknown sid is ignored', async () => {
  expect(await talk(server.port, 'UNSUB 99\r\nUNSUB 98 5\r\n')).toEqual([]);
});

test('with max it ends after so many messages', async () => {
  expect(await talk(server.port, `SUB foo 1\r\nUNSUB 1 2\r\n${publish('a', 'b', 'c')}`)).toEqual(got('a', 'b'));
});

test('max counts from the SUB', async () => {
  expect(await talk(server.port, `SUB foo 1\r\n${publish('a', 'b')}UNSUB 1 3\r\n${publish('c', 'd')}`)).toEqual(
    got('a', 'b', 'c'),
  );
});

test.each([1, 2])('max %i, when two were delivered, ends it at once', async (max) => {
  expect(await talk(server.port, `SUB foo 1\r\n${publish('a', 'b')}UNSUB 1 ${max}\r\n${publish('c')}`)).toEqual(
    got('a', 'b'),
  );
});

test('a later UNSUB replaces the max', async () => {
  const replies = await talk(server.port, `SUB foo 1\r\nUNSUB 1 1\r\nUNSUB 1 3\r\n${publish('a', 'b', 'c', 'd')}`);
  expect(replies).toEqual(got('a', 'b', 'c'));
});

test.each(['0', '-1', 'x', '99999999999999999999999'])('max %s is no max: it ends at once', async (max) => {
  expect(await talk(server.port, `SUB foo 1\r\nUNSUB 1 ${max}\r\n${publish('a')}`)).toEqual([]);
});

test('the sid is free once the max is reached', async () => {
  const replies = await talk(server.port, `SUB foo 1\r\nUNSUB 1 1\r\n${publish('a')}SUB bar 1\r\nPUB bar 1\r\ny\r\n`);
  expect(replies).toEqual(['MSG foo 1 | a', 'MSG bar 1 | y']);
});

test('max holds against several publishers at once, exactly', async () => {
  const client = await RawClient.connect(server.port);
  await client.exchange('SUB foo 1\r\nUNSUB 1 100\r\n');
  const publishers = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(server.port)));
  await Promise.all(publishers.map((publisher) => publisher.exchange(publish('x').repeat(100))));
  expect(await client.exchange()).toHaveLength(100);
});

test('a queue member with a max leaves when it has had its share', async () => {
  const replies = await talk(
    server.port,
    `SUB foo q 1\r\nUNSUB 1 1\r\nSUB foo q 2\r\n${publish('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')}`,
  );
  expect(replies).toHaveLength(8);
  expect(replies.filter((reply) => reply.startsWith('MSG foo 1')).length).toBeLessThanOrEqual(1);
});
