import { expect, test } from 'vitest';
import { RawClient, talk } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours, theirs } from '../harness/target.js';

const server = useBroker();

/** Subscription, subject published, whether it is received. */
const cases: readonly (readonly [string, string, boolean])[] = [
  ['foo', 'foo', true],
  ['foo', 'Foo', false],
  ['foo', 'foo.bar', false],
  ['*', 'foo', true],
  ['*', 'foo.bar', false],
  ['foo.*', 'foo.bar', true],
  ['foo.*', 'foo', false],
  ['foo.*', 'foo.bar.baz', false],
  ['*.bar', 'foo.bar', true],
  ['*.bar', 'foo.baz', false],
  ['foo.*.baz', 'foo.bar.baz', true],
  ['foo.*.baz', 'foo.bar.bar', false],
  ['*.*.*', 'a.b.c', true],
  ['*.*.*', 'a.b', false],
  ['>', 'foo', true],
  ['>', 'foo.bar.baz', true],
  ['foo.>', 'foo.bar', true],
  ['foo.>', 'foo.bar.baz', true],
  ['foo.>', 'foo', false],
  ['foo.>', 'food.bar', false],
  ['*.>', 'foo.bar', true],
  ['*.>', 'foo', false],
  ['foo*', 'foobar', false],
  ['foo*', 'foo*', true],
  ['fo>o', 'fo>o', true],
  ['foo.*a', 'foo.xa', false],
  ['foo.*a', 'foo.*a', true],
  ['foo>', 'foo.bar', false],
  ['gr\xc3\xb6\xc3\x9fe.\xe2\x98\x83', 'gr\xc3\xb6\xc3\x9fe.\xe2\x98\x83', true],
  ['\xff\xfe', '\xff\xfe', true],
];

test.each(cases)('SUB %s, PUB %s: %s', async (pattern, subject, received) => {
  const replies = await talk(server.port, `SUB ${pattern} 1\r\nPUB ${subject} 1\r\nx\r\n`);
  expect(replies).toEqual(received ? [`MSG ${subject} 1 | x`] : []);
});

test('subscriptions that come and go do not disturb others that share their tokens', async () => {
  const client = await RawClient.connect(server.port);
  await client.exchange('SUB a.b.c 1\r\nSUB a.*.c 2\r\nSUB a.> 3\r\nSUB a.b.* 4\r\nSUB a.b 5\r\n');
  expect((await client.exchange('UNSUB 2\r\nUNSUB 5\r\nPUB a.b.c 1\r\nx\r\n')).sort()).toEqual([
    'MSG a.b.c 1 | x',
    'MSG a.b.c 3 | x',
    'MSG a.b.c 4 | x',
  ]);
  expect(await client.exchange('UNSUB 1\r\nUNSUB 3\r\nUNSUB 4\r\nPUB a.b.c 1\r\nx\r\n')).toEqual([]);
  expect(await client.exchange('SUB a.*.c 6\r\nPUB a.b.c 1\r\nx\r\n')).toEqual(['MSG a.b.c 6 | x']);
});

test('a wildcard that comes after a subject was already published to is found', async () => {
  const client = await RawClient.connect(server.port);
  const publisher = await RawClient.connect(server.port);
  await client.exchange('SUB hot.topic 1\r\n');
  await publisher.exchange('PUB hot.topic 1\r\na\r\n'.repeat(100));
  expect(await client.exchange()).toHaveLength(100);
  await client.exchange('SUB hot.* 2\r\nSUB > 3\r\n');
  await publisher.exchange('PUB hot.topic 1\r\nb\r\n');
  expect((await client.exchange()).sort()).toEqual([1, 2, 3].map((sid) => `MSG hot.topic ${sid} | b`));
});

const system =
  'SUB > 1\r\nSUB *.x 2\r\nSUB *.> 5\r\nSUB $SYS.x 3\r\nSUB $SYS.> 4\r\nSUB $SYS.* 6\r\nPUB $SYS.x 1\r\na\r\n';

ours('$SYS.x is received by those who name it, not by a leading wildcard', async () => {
  expect((await talk(server.port, system)).sort()).toEqual([3, 4, 6].map((sid) => `MSG $SYS.x ${sid} | a`));
});

theirs('$SYS.x is received by a leading wildcard too', async () => {
  expect((await talk(server.port, system)).sort()).toEqual([1, 2, 3, 4, 5, 6].map((sid) => `MSG $SYS.x ${sid} | a`));
});
