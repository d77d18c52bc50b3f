import { afterEach, expect, test } from 'vitest';
import { connectLine, RawClient, talk, talkUntilClosed } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours } from '../harness/target.js';

// Invariant 16 of docs/INVARIANTS.md.

const server = useBroker();

afterEach(async () => {
  expect(await talk(server.port, 'SUB alive 1\r\nPUB alive 1\r\nx\r\n')).toEqual(['MSG alive 1 | x']);
});

test('a client that goes in the middle of anything leaves the others alone', async () => {
  const bystander = await RawClient.connect(server.port);
  await bystander.exchange('SUB > 1\r\n');
  const stream = `${connectLine()}SUB a 1\r\nHPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`;
  const whole = stream.length;
  for (let cut = 0; cut < whole; cut += 3) {
    const client = await RawClient.open(server.port);
    await client.sendAlone(stream.slice(0, cut));
    client.close();
  }
  expect(await bystander.exchange()).toEqual([]);
});

test('a client that resets its connection is only itself hurt', async () => {
  const bystander = await RawClient.connect(server.port);
  await bystander.exchange('SUB b 1\r\n');
  for (let i = 0; i < 50; i++) {
    const client = await RawClient.connect(server.port);
    client.send('SUB b 1\r\nPUB a 5\r\nhe');
    client.socket.resetAndDestroy();
  }
  expect(await bystander.exchange('PUB b 1\r\nx\r\n')).toEqual(['MSG b 1 | x']);
});

test('a client that closes its sending side gets its answers and its end', async () => {
  const client = await RawClient.connect(server.port);
  client.send('SUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n');
  client.socket.end();
  expect(await client.expectClosed()).toEqual(expect.not.arrayContaining([expect.stringMatching(/ERR/)]));
});

test('CONNECT with deep JSON is refused or taken, not fatal', async () => {
  const deep = `${'{"a":'.repeat(600)}1${'}'.repeat(600)}`;
  const client = await RawClient.open(server.port);
  client.send(`CONNECT ${deep}\r\nPING\r\n`);
  await client.readUntil(({ op }) => op === 'PONG' || op === '-ERR', 'an answer');
});

test('CONNECT with names of object properties changes nothing', async () => {
  const client = await RawClient.open(server.port);
  const line =
    'CONNECT {"verbose":false,"__proto__":{"verbose":true,"echo":false},"constructor":1,"toString":null}\r\n';
  expect(await client.exchange(`${line}SUB a 1\r\nPUB a 1\r\nx\r\n`)).toEqual(['MSG a 1 | x']);
});

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', '0', 'length'])(
  '%s is a subject, a queue and a sid like any other',
  async (name) => {
    const lines = `SUB ${name} ${name} ${name}\r\nSUB ${name}.* 2\r\nPUB ${name} 1\r\nx\r\nPUB ${name}.${name} 1\r\ny\r\nUNSUB ${name}\r\nPUB ${name} 1\r\nz\r\n`;
    expect(await talk(server.port, lines)).toEqual([`MSG ${name} ${name} | x`, `MSG ${name}.${name} 2 | y`]);
  },
);

test('a flood of subscriptions on one connection, gone with it', async () => {
  const client = await RawClient.connect(server.port);
  let lines = '';
  for (let i = 0; i < 50_000; i++) lines += `SUB flood.${i} ${i}\r\n`;
  expect(await client.exchange(lines)).toEqual([]);
  expect(await client.exchange('PUB flood.49999 1\r\nx\r\n')).toEqual(['MSG flood.49999 49999 | x']);
});

test('a thousand connections at once, each with its own message', async () => {
  const clients = await Promise.all(Array.from({ length: 1000 }, () => RawClient.connect(server.port)));
  const replies = await Promise.all(
    clients.map((client, i) => client.exchange(`SUB own.${i} 1\r\nPUB own.${i} 1\r\nx\r\n`)),
  );
  expect(replies).toEqual(clients.map((_, i) => [`MSG own.${i} 1 | x`]));
});

test('an announced payload that never comes costs nothing but the connection', async () => {
  const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(server.port)));
  for (const client of clients) await client.sendAlone('PUB a 1048576\r\nx');
  for (const client of clients) client.close();
});

// nats-server resets such a connection now and then, and the client may then never see the reason.
ours('the reason reaches a client that had already sent more', async () => {
  const replies = await talkUntilClosed(server.port, `BAD\r\n${'PING\r\n'.repeat(100_000)}`);
  expect(replies).toEqual(["-ERR 'Unknown Protocol Operation'"]);
});
