import { expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours } from '../harness/target.js';

const server = useBroker();

test('INFO comes first, by itself, with what clients read', async () => {
  const client = await RawClient.open(server.port);
  const info = await client.info();
  expect(info).toMatchObject({
    server_id: expect.stringMatching(/./),
    server_name: expect.stringMatching(/./),
    version: expect.stringMatching(/^2\.\d+\.\d+/),
    proto: 1,
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
  expect(info.version).toMatch(/^2\.10\.\d+$/);
  expect(info.shardcast).toMatch(/^\d+\.\d+\.\d+/);
});
