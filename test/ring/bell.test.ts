import { expect, test } from 'vitest';
import { Bell, createBellMemory, Sleeper } from '../../src/ring/bell.js';

const idle = () => false;

test.each([
  ['by a notification', 0],
  ['by a pipe', 7],
])(
  'Invariant 3. Who dies before it wakes the one whose flag it took does not silence the bell: %s',
  async (_, pipe) => {
    const memory = createBellMemory(1);
    const flag = new Int32Array(memory);
    const sleeper = new Sleeper(memory, 0);
    if (pipe !== 0) sleeper.wakeByPipe(pipe);
    let wakes = 0;
    const wake = () => void wakes++;
    expect(sleeper.sleep(idle, wake)).toBe(true);
    // the one that dies gets no further
    Atomics.exchange(flag, 0, 0);
    // that it has gone is told by a message: the thread looks for work, and rests
    sleeper.awake();
    expect(sleeper.sleep(idle, wake)).toBe(true);
    expect(flag[0]).toBe(1);
    if (pipe !== 0) return;
    new Bell(memory, 0).ring();
    await expect.poll(() => wakes).toBe(1);
    expect(sleeper.asleep).toBe(false);
  },
);

test('Invariant 3. A ring that comes late wakes once more than needed, and leaves who sleeps next in order', async () => {
  const memory = createBellMemory(1);
  const flag = new Int32Array(memory);
  const sleeper = new Sleeper(memory, 0);
  let wakes = 0;
  const wake = () => void wakes++;
  sleeper.sleep(idle, wake);
  Atomics.exchange(flag, 0, 0);
  expect(sleeper.sleep(() => true, wake)).toBe(false);
  // now it wakes whom it meant to
  Atomics.notify(flag, 0);
  await expect.poll(() => wakes).toBe(1);
  expect(sleeper.sleep(idle, wake)).toBe(true);
  new Bell(memory, 0).ring();
  await expect.poll(() => wakes).toBe(2);
});
