import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import koffi from 'koffi';
import { afterEach, expect, test } from 'vitest';
import { readsPerTurn } from '../../src/base/limits.js';
import { Turn } from '../../src/base/turn.js';
import { Inlet, RestingInlets } from '../../src/gateway/inlet.js';
import { descriptorOf } from './connections.js';

// Invariant 25 of docs/INVARIANTS.md.

const duplicate = koffi.load(null).func('int dup(int fd)');
const bufferBytes = 1024;
const buffers = 64;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The descriptor of a socket for which many times what the buffer holds has come already. */
async function floodedDescriptor(): Promise<number> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  closing.push(() => {
    client.destroy();
    server.close();
  });
  await new Promise((resolve) => client.write(new Uint8Array(bufferBytes * buffers), resolve));
  const [socket] = (await accepted) as [Socket];
  const descriptor = duplicate(descriptorOf(socket)) as number;
  socket.destroy();
  return descriptor;
}

/** Reads it all; returns how often each turn of the event loop read, where it read at all. */
async function readAll(onRead: (inlet: Inlet, reads: number) => void): Promise<number[]> {
  const resting = new RestingInlets(new Turn(() => resting.endTurn()));
  const inlet = new Inlet(await floodedDescriptor(), new Uint8Array(bufferBytes), resting);
  closing.push(() => inlet.socket.destroy());
  const readsByTurn: number[] = [];
  let bytes = 0;
  let reads = 0;
  let reading = 0;
  const done = new Promise<void>((resolve) => {
    inlet.owner = {
      onRead: (lengthBytes) => {
        bytes += lengthBytes;
        reading++;
        onRead(inlet, ++reads);
        if (bytes === bufferBytes * buffers) resolve();
        return true;
      },
      onEnd: () => {},
      onClosed: () => {},
    };
  });
  let over = false;
  const count = (): void => {
    if (reading > 0) readsByTurn.push(reading);
    reading = 0;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await done;
  over = true;
  count();
  return readsByTurn;
}

test('a socket that always has more leaves every turn to others after its share', async () => {
  const readsByTurn = await readAll(() => {});
  expect(readsByTurn.reduce((sum, reads) => sum + reads, 0)).toBe(buffers);
  expect(Math.max(...readsByTurn)).toBe(readsPerTurn);
});

test('one that was paused while it rests is not read until it is resumed', async () => {
  let paused = false;
  let resumed = 0;
  let early = 0;
  await readAll((inlet, reads) => {
    if (paused) early++;
    if (reads !== readsPerTurn) return;
    // some turns later, in none of which it may be read
    let turns = 5;
    const later = (): void => {
      if (--turns > 0) {
        setImmediate(later);
        return;
      }
      paused = false;
      resumed++;
      inlet.socket.resume();
    };
    paused = true;
    inlet.socket.pause();
    setImmediate(later);
  });
  expect({ resumed, early }).toEqual({ resumed: 1, early: 0 });
});
