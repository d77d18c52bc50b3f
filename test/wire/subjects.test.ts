import { expect, test } from 'vitest';
import { RawClient, talk } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours } from '../harness/target.js';

const server = useBroker();

test.each(['a..b', '.a', 'a.', '.', 'a.>.b', '>.a', '..', 'a.>.'])(
  'SUB %s is refused, the connection stays',
  async (subject) => {
    expect(await talk(server.port, `SUB ${subject} 1\r\nPUB a.b 1\r\nx\r\n`)).toEqual(["-ERR 'Invalid Subject'"]);
  },
);

test('a sid in use keeps its subscription, whatever the subject', async () => {
  const lines = 'SUB foo 1\r\nSUB a..b 1\r\nSUB bar 1\r\n';
  expect(await talk(server.port, `${lines}PUB foo 1\r\nx\r\nPUB bar 1\r\ny\r\n`)).toEqual(['MSG foo 1 | x']);
});

test('wildcards in a publish subject are ordinary tokens', async () => {
  const subscribe = 'SUB > 1\r\nSUB foo.* 2\r\nSUB foo.bar 3\r\nSUB foo.> 4\r\n';
  expect((await talk(server.port, `${subscribe}PUB foo.* 1\r\nx\r\n`)).sort()).toEqual(
    [1, 2, 4].map((sid) => `MSG foo.* ${sid} | x`),
  );
  expect((await talk(server.port, `${subscribe}PUB foo.> 1\r\nx\r\n`)).sort()).toEqual(
    [1, 2, 4].map((sid) => `MSG foo.> ${sid} | x`),
  );
  expect(await talk(server.port, `${subscribe}PUB > 1\r\nx\r\n`)).toEqual(['MSG > 1 | x']);
});

test('so is > where it is not the last', async () => {
  const subscribe = 'SUB > 1\r\nSUB a.> 2\r\nSUB a.*.b 3\r\nSUB a.*.* 4\r\nSUB *.>.b 5\r\nSUB a.b.b 6\r\n';
  expect((await talk(server.port, `${subscribe}PUB a.>.b 1\r\nx\r\n`)).sort()).toEqual([
    "-ERR 'Invalid Subject'",
    ...[1, 2, 3, 4].map((sid) => `MSG a.>.b ${sid} | x`),
  ]);
  expect((await talk(server.port, 'SUB > 1\r\nSUB *.> 2\r\nSUB *.* 3\r\nPUB >.a 1\r\nx\r\n')).sort()).toEqual(
    [1, 2, 3].map((sid) => `MSG >.a ${sid} | x`),
  );
});

test.each(['a..b', '.a', 'a.', '.'])('a message to %s reaches nobody', async (subject) => {
  expect(await talk(server.port, `SUB > 1\r\nSUB a.*.b 2\r\nSUB *.* 3\r\nPUB ${subject} 1\r\nx\r\n`)).toEqual([]);
});

test('2,000 tokens are a subject like any other', async () => {
  const deep = Array(2000).fill('a').join('.');
  const stars = Array(2000).fill('*').join('.');
  const client = await RawClient.connect(server.port);
  const replies = await client.exchange(
    `SUB ${deep} 1\r\nSUB ${stars} 2\r\nSUB a.> 3\r\nSUB b.> 4\r\nPUB ${deep} 1\r\nx\r\n`,
  );
  expect(replies.sort()).toEqual([1, 2, 3].map((sid) => `MSG ${deep} ${sid} | x`));
  expect(await client.exchange(`UNSUB 1\r\nUNSUB 2\r\nUNSUB 3\r\nPUB ${deep} 1\r\nx\r\n`)).toEqual([]);
});

test('patterns that branch at every token cost nothing unusual', async () => {
  const tokens = 22;
  const client = await RawClient.connect(server.port);
  for (let i = 0; i < 200; i++) {
    const pattern = Array.from({ length: tokens }, (_, bit) => ((i >> (bit % 8)) & 1 ? '*' : 'a')).join('.');
    client.send(`SUB ${pattern}.end ${i}\r\n`);
  }
  // The last token matches none of them, so a matcher that tries every way would try millions.
  const subject = Array(tokens).fill('a').join('.');
  expect(await client.exchange(`PUB ${subject}.no 1\r\nx\r\n`.repeat(200))).toEqual([]);
});

const hostile: readonly (readonly [string, string])[] = [
  ['NUL', 'a\0b'],
  ['CR', 'a\rb'],
];

ours.each(hostile)('%s in the subject, queue or sid of a SUB is refused', async (_, text) => {
  const lines = `SUB ${text} 1\r\nSUB foo ${text} 2\r\nSUB foo ${text}\r\n`;
  expect(await talk(server.port, `${lines}PUB foo 1\r\nx\r\n`)).toEqual(Array(3).fill("-ERR 'Invalid Subject'"));
});

ours.each(hostile)('%s in the subject or reply of a publish is refused and reaches nobody', async (_, text) => {
  const header = 'NATS/1.0\r\n\r\n';
  const lines = `SUB > 1\r\nPUB ${text} 1\r\nx\r\nPUB foo ${text} 1\r\nx\r\nHPUB ${text} 12 12\r\n${header}\r\n`;
  expect(await talk(server.port, lines)).toEqual(Array(3).fill("-ERR 'Invalid Publish Subject'"));
});

test.each(hostile)('%s in a subject leaves bystanders alone', async (_, text) => {
  const bystander = await RawClient.connect(server.port);
  await bystander.exchange('SUB safe 1\r\n');
  await talk(server.port, `PUB ${text} 1\r\nx\r\nSUB ${text} 9\r\nPUB safe 2\r\nok\r\n`);
  expect(await bystander.exchange()).toEqual(['MSG safe 1 | ok']);
});
