import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Broker } from '../../bench/compare/broker.js';
import type { LoadScenario } from '../../bench/compare/scenario.js';

// The generator starts worker threads, which need the build's JavaScript; `npm test` has built it.
const built = new URL('../../dist/bench/compare/runLoad.js', import.meta.url).href;
const { runLoad } = (await import(built)) as typeof import('../../bench/compare/runLoad.js');

const scenario: LoadScenario = {
  kind: 'load',
  id: 'test',
  name: 'test',
  publishers: 1,
  subscribers: 2,
  topics: { kind: 'one' },
  payloadBytes: 16,
  ratePerSecond: 1_000,
};
const delivery = `MSG bench.00000 1 16\r\n${'x'.repeat(16)}\r\n`;
let server: net.Server | null = null;

afterEach(() => {
  server?.close();
});

/** Answers handshakes; sends each subscriber one message when anything is published, and then cuts off the first. */
async function serverThatCutsOffASubscriber(): Promise<Broker> {
  const subscribers: net.Socket[] = [];
  let cut = false;
  server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const text = data.toString('latin1');
      if (text.includes('SUB ')) subscribers.push(socket);
      if (text.includes('PING\r\n')) socket.write('INFO {}\r\nPONG\r\n');
      if (!text.includes('PUB ') || cut) return;
      cut = true;
      for (const subscriber of subscribers) subscriber.write(delivery);
      subscribers[0]!.end("-ERR 'Slow Consumer'\r\n");
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    endpoint: { host: '127.0.0.1', port, protocol: 'nats' },
    pid: process.pid,
    stop: async () => {},
    logTail: () => '',
  };
}

it('a run in which the server cut off a subscriber says so, and what is missing', async () => {
  const broker = await serverThatCutsOffASubscriber();
  const options = { warmUpSeconds: 0.1, seconds: 0.3, threads: { publishing: 1, subscribing: 1 } };
  const result = await runLoad(scenario, broker, options);
  expect(result.connectionsLost).toBe(1);
  expect(result.errors).toContain("-ERR 'Slow Consumer'");
  expect(result.errors).toContain('connection lost: closed by the server');
  expect(result.missing).toBeGreaterThan(500);
});
