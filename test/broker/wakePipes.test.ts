import { readdirSync } from 'node:fs';
import { startBroker } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { WakePipes } from '../../src/broker/wakePipes.js';
import { listenToPipe } from '../../src/gateway/wakePipe.js';
import { Bell, createBellMemory, Sleeper } from '../../src/ring/bell.js';

const descriptors = () => readdirSync('/proc/self/fd').length;

describe.runIf(process.platform === 'linux')('pipes that wake threads', () => {
  test('who sleeps is woken, and what was rung before it listened is not lost', async () => {
    const pipe = new WakePipes().take()!;
    const bells = createBellMemory(1);
    const sleeper = new Sleeper(bells, 0);
    const bell = new Bell(bells, 0);
    sleeper.wakeByPipe(pipe.writer);
    const sleep = () => new Promise<void>((resolve) => expect(sleeper.sleep(() => false, resolve)).toBe(true));
    const first = sleep();
    bell.ring();
    listenToPipe(pipe.reader, () => sleeper.rung());
    await first;
    const second = sleep();
    bell.ring();
    await second;
    expect(
      sleeper.sleep(
        () => true,
        () => {},
      ),
    ).toBe(false);
  });

  test('who has a pipe from now on is still woken from what it slept for before', async () => {
    const pipe = new WakePipes().take()!;
    const bells = createBellMemory(1);
    const sleeper = new Sleeper(bells, 0);
    const woken = new Promise<void>((resolve) => expect(sleeper.sleep(() => false, resolve)).toBe(true));
    sleeper.wakeByPipe(pipe.writer);
    await woken;
  });

  test('brokers that follow each other take the same ones, whatever was rung late', async () => {
    const counts: number[] = [];
    for (let i = 0; i < 4; i++) {
      const broker = await startBroker({ host: '127.0.0.1', port: 0, shards: 2, logLevel: 'silent' });
      await broker.stop();
      counts.push(descriptors());
    }
    // the first one has what is kept for the others
    expect(new Set(counts.slice(1)).size).toBe(1);
  });
});
