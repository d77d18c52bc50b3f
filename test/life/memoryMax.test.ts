import { describe, expect } from 'vitest';
import { inProcess, portOf } from '../client/broker.js';
import { JsonClient } from '../harness/jsonClient.js';
import { connectLine, RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours, shardCounts } from '../harness/target.js';
import { clientFrame, rawWebSocket } from '../harness/webSocketClient.js';

// Invariant 30 of docs/INVARIANTS.md.

const mib = 1024 * 1024;
const body = 'x'.repeat(32_000);

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({
    shards,
    config: { max_pending: 8 * mib },
    args: ['--memory-max', '8MiB', '--jsonl-port', '0', '--ws-port', '0'],
  });
  const connect = () => RawClient.connect(server.port);

  ours(
    'who hold most are ended and told why, before any reaches its own bound; the others get everything',
    async () => {
      const [publisher, reader] = [await connect(), await connect()];
      const deaf = await Promise.all(Array.from({ length: 6 }, connect));
      for (const client of [reader, ...deaf]) await client.exchange('SUB full 1\r\n');
      for (const { socket } of deaf) socket.pause();
      let published = 0;
      const received: string[] = [];
      const logged = server.broker.logged(/"heldBytes".*memory-max is reached[\s\S]*memory-max is reached/);
      let over = false;
      logged.then(() => {
        over = true;
      });
      while (!over) {
        await publisher.exchange(`PUB full ${body.length}\r\n${body}\r\n`.repeat(8));
        published += 8;
        received.push(...(await reader.exchange()));
      }
      expect(received.length).toBe(published);
      const told = await logged;
      expect(told[0]).toMatch(/"heldBytes":\d+,"stalled":(true|false),"usedBytes":\d+,"maxBytes":8388608/);
      const ends = deaf.map((client) => client.expectClosed());
      for (const { socket } of deaf) socket.resume();
      await atLeast(ends, 2);
      expect((await Promise.race(ends)).at(-1)).toBe("-ERR 'Slow Consumer'");
      await Promise.allSettled([...deaf.map((client) => client.close()), ...ends]);
    },
  );

  ours('messages that never become whole are counted: those that hold most are ended, the others go on', async () => {
    const size = mib - 100;
    const half = Buffer.from(`PUB big ${size}\r\n${'y'.repeat(size - 1)}`);
    const clients = await Promise.all(Array.from({ length: 24 }, connect));
    const gone: Promise<string[]>[] = clients.map((client) => client.expectClosed());
    const ends = gone.map(async (lines) => (await lines).at(-1));
    for (const client of clients) client.send(half);
    await atLeast(ends, 15);
    const [last] = await Promise.all(ends.filter((_, i) => clients[i]?.closed));
    expect(last).toBe("-ERR 'Maximum Memory Exceeded'");
    const open = clients.filter(({ closed }) => !closed);
    const listener = await connect();
    await listener.exchange('SUB big 1\r\n');
    // those that are left have room, and go on as if nothing had been
    for (const client of open) client.send('y\r\n');
    expect((await listener.messages(1))[0]?.payload.length).toBe(size);
  });

  ours('frames that never become whole are counted, too', async () => {
    const frame = clientFrame(0x82, Buffer.alloc(2 * mib)).subarray(0, -1);
    const port = server.broker.doorPort('websocket');
    const clients = await Promise.all(Array.from({ length: 10 }, () => rawWebSocket(port, 'nats')));
    for (const { socket } of clients) {
      socket.write(clientFrame(0x82, Buffer.from(connectLine())));
      socket.write(frame);
    }
    const ends = clients.map(({ ended }) => ended);
    await atLeast(ends, 6);
    expect(await Promise.race(ends)).toContain("-ERR 'Maximum Memory Exceeded'");
  });
});

describe.each([1, 2, 4])('%i shards in process', (shards) => {
  ours('while publishes wait for memory, everything else goes on', async () => {
    const broker = await inProcess({ shards, jsonlPort: 0, memoryMaxBytes: mib, maxPendingBytes: mib });
    const port = portOf(broker);
    const sum = async (field: 'heldBytes' | 'parked'): Promise<number> =>
      (await broker.census()).reduce((total, shard) => total + shard[field], 0);
    const listener = await RawClient.connect(port);
    await listener.exchange('SUB wait.> 1\r\n');
    const nats = await RawClient.connect(port);
    const json = await JsonClient.overTcp(Number(new URL(broker.ports.jsonl[0] as string).port));
    // too little each to be worth an end, too much together
    const small = await Promise.all(Array.from({ length: 400 }, () => RawClient.open(port)));
    for (const client of small) client.send(`CONNECT {"lang":"${'z'.repeat(3_700)}`);
    await expect.poll(() => sum('heldBytes')).toBeGreaterThan(mib);
    // each thread has looked since
    await nats.exchange();
    await json.exchange();
    nats.send('PUB wait.nats 1\r\nn\r\n');
    json.send({ command: 'PUB', topic: 'wait.json', payload: 'j' });
    await expect.poll(() => sum('parked')).toBe(2);
    const other = await RawClient.connect(port);
    expect(await other.exchange('SUB a 1\r\nPUB nobody 1\r\nx\r\nUNSUB 1\r\n')).toEqual([]);
    expect(await sum('parked')).toBe(2);
    expect(listener.frames.filter(({ op }) => op === 'MSG')).toEqual([]);
    for (const client of small) client.close();
    await Promise.all([nats.exchange(), json.exchange()]);
    const messages = await listener.messages(2);
    expect(messages.map(({ subject }) => subject).sort()).toEqual(['wait.json', 'wait.nats']);
  });
});

/** Waits until so many of them have come. */
function atLeast(all: readonly Promise<unknown>[], count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    for (const each of all) each.then(() => --left === 0 && resolve());
  });
}
