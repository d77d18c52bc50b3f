import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { useBroker } from '../harness/server.js';

const server = useBroker({ shards: 2, args: ['--jsonl-port', '0', '--ws-port', '0'] });
const running = new Set<ChildProcess>();

/** Starts an example as the README says, with the broker's ports in its environment. */
function example(name: string, env: Record<string, string>): { child: ChildProcess; lines: AsyncIterator<string> } {
  const file = fileURLToPath(new URL(`../../dist/examples/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  const lines: Interface = createInterface(child.stdout as Readable);
  return { child, lines: lines[Symbol.asyncIterator]() };
}

/** The only line that an example prints before it ends well. */
async function onlyLine(name: string, env: Record<string, string>): Promise<string> {
  const { child, lines } = example(name, env);
  const exit = once(child, 'exit');
  const { value } = await lines.next();
  expect((await exit)[0]).toBe(0);
  return value as string;
}

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

const webSocketUrl = () => `ws://127.0.0.1:${server.broker.doorPort('websocket')}`;

test('a producer and a consumer over WebSocket', async () => {
  const env = { TOPIC: 'mytopic', URL: webSocketUrl(), INTERVAL_MS: '20' };
  const consumer = example('client', { ...env, MODE: 'consumer' });
  const producer = example('client', { ...env, MODE: 'producer' });
  expect((await producer.lines.next()).value).toBe('published to mytopic: message 1');
  for (let i = 0; i < 3; i++)
    expect((await consumer.lines.next()).value).toMatch(/^BROKER BROADCAST \[mytopic\]: message \d+$/);
});

test('JSON lines over TCP', async () => {
  const line = await onlyLine('jsonLines', { PORT: String(server.broker.doorPort('jsonl')) });
  expect(line).toBe('quotes.acme: 101.5 (key acme)');
});

test('NATS over TCP', async () => {
  expect(await onlyLine('nats', { SERVER: `127.0.0.1:${server.port}` })).toBe('hello, world');
});

test('inside one’s own process', async () => {
  expect(await onlyLine('inProcess', {})).toBe('md.eq.ACME: 2');
});

test('NATS over WebSocket', async () => {
  expect(await onlyLine('natsWebSocket', { URL: webSocketUrl() })).toBe('prices: 42');
});
