import { expect, test } from 'vitest';
import { show } from '../harness/frames.js';
import { connectLine, RawClient } from '../harness/rawClient.js';
import { Broker, useBroker } from '../harness/server.js';
import { ours } from '../harness/target.js';

// Invariant 27 of docs/INVARIANTS.md.

const server = useBroker({ shards: 2 });

async function kindsFrom(client: RawClient, bytes: string): Promise<string[]> {
  return (await client.everythingFrom(bytes)).map((frame) => (frame.op === 'INFO' ? infoKind(frame) : show(frame)));
}

function infoKind({ info }: { readonly info: Readonly<Record<string, unknown>> }): string {
  return info.connect_info ? `INFO for ${info.remote_account}` : 'INFO';
}

test('INFO comes first, by itself, with what clients read', async () => {
  const client = await RawClient.open(server.port);
  const info = await client.info();
  expect(info).toMatchObject({
    server_id: expect.stringMatching(/./),
    server_name: expect.stringMatching(/./),
    version: expect.stringMatching(/^2\.\d+\.\d+/),
    proto: 1,
    go: expect.stringMatching(/\d+\.\d+/),
    host: '127.0.0.1',
    port: server.port,
    headers: true,
    max_payload: 1_048_576,
    client_id: expect.any(Number),
    client_ip: '127.0.0.1',
  });
  expect(info.auth_required ?? false).toBe(false);
  expect(info.ldm ?? false).toBe(false);
});

test('each connection has a client_id of its own and the same server_id', async () => {
  const infos = [];
  for (let i = 0; i < 20; i++) infos.push(await (await RawClient.open(server.port)).info());
  expect(new Set(infos.map((info) => info.client_id)).size).toBe(20);
  expect(new Set(infos.map((info) => info.server_id)).size).toBe(1);
});

ours('INFO states the NATS level we speak and our own version', async () => {
  const info = await (await RawClient.open(server.port)).info();
  expect(info.version).toBe('2.15.1');
  expect(info.shardcast).toMatch(/^\d+\.\d+\.\d+/);
});

ours('INFO says what the broker runs on, that there is JetStream, and a public key', async () => {
  const info = await (await RawClient.open(server.port)).info();
  const xkey = expect.stringMatching(/^X[A-Z2-7]{55}$/);
  expect(info).toMatchObject({ go: `node${process.versions.node}`, jetstream: true, api_lvl: 5, xkey });
});

ours('INFO tells the advertised address in place of its own', async () => {
  const at = async (address: string): Promise<unknown> => {
    const broker = await Broker.start({ args: ['--client-advertise', address] });
    const { host, port, connect_urls } = await (await RawClient.open(broker.port)).info();
    await broker.stop();
    return { host, port: port === broker.port ? 'its own' : port, connect_urls };
  };
  expect(await at('broker.example:99')).toEqual({
    host: 'broker.example',
    port: 99,
    connect_urls: ['broker.example:99'],
  });
  expect(await at('broker.example')).toMatchObject({ host: 'broker.example', port: 'its own' });
  expect(await at('[::1]:99')).toMatchObject({ host: '::1', port: 99 });
});

// Debian's nats-server 2.9 does not do this yet; that 2.15.1 does was seen on a raw socket.
ours.each<[string, string, string[]]>([
  ['protocol 1', `${connectLine({ protocol: 1 })}PING\r\nPING\r\n`, ['INFO', 'PONG', 'INFO for $G', 'PONG']],
  ['protocol 0', `${connectLine({ protocol: 0 })}PING\r\nPING\r\n`, ['INFO', 'PONG', 'PONG']],
  ['no protocol', `${connectLine()}PING\r\nPING\r\n`, ['INFO', 'PONG', 'PONG']],
  ['no PING', connectLine({ protocol: 1 }), ['INFO']],
  [
    'a PING before CONNECT, which does not count',
    `PING\r\n${connectLine({ protocol: 1 })}PING\r\nPING\r\n`,
    ['INFO', 'PONG', 'PONG', 'INFO for $G', 'PONG'],
  ],
  [
    'protocol 1 in a CONNECT after the first PONG',
    `${connectLine()}PING\r\n${connectLine({ protocol: 1 })}PING\r\n`,
    ['INFO', 'PONG', 'PONG'],
  ],
])('a second INFO comes directly behind the first PONG or not at all: %s', async (_, bytes, expected) => {
  expect(await kindsFrom(await RawClient.open(server.port), bytes)).toEqual(expected);
});

ours('a client that publishes first has its second INFO behind its PONG too', async () => {
  const client = await RawClient.open(server.port);
  const bytes = `${connectLine({ protocol: 1 })}SUB here 1\r\nPUB here 1\r\nx\r\nPING\r\n`;
  expect(await kindsFrom(client, bytes)).toEqual(['INFO', 'MSG here 1 | x', 'PONG', 'INFO for $G']);
});
