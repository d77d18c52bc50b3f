import { add, exchange, load, store, waitAsync } from '#atomics';
import { Bell, createBellMemory, Sleeper } from '../../src/ring/bell.js';
import { randomFrom } from '../sim/random.js';
import { check, type Scenario } from './scenario.js';
import { signal, sleepUntilSignal } from './turnstile.js';

const items = 20;

/** `Sleeper.sleep` with its flag set after the look for work: the classic. */
function sleepTooLate(memory: SharedArrayBuffer, hasWork: () => boolean, wake: () => void): boolean {
  const words = new Int32Array(memory);
  if (hasWork()) return false;
  store(words, 0, 1);
  const waiting = waitAsync(words, 0, 1);
  if (!waiting.async) return false;
  waiting.value.then(wake);
  return true;
}

/** One thread hands items to another, which sleeps when it finds none. If a ring is lost, both sleep for ever. */
export const wakeUp: Scenario = {
  planted: ['flag set after the look for work', 'rings before it publishes'],

  memory: () => [createBellMemory(2), new SharedArrayBuffer(4)],

  threads: [
    async ([bells, work], seed, plant) => {
      const random = randomFrom(seed);
      const sleeper = new Sleeper(bells, 0);
      const words = new Int32Array(work);
      const hasWork = () => load(words, 0) !== 0;
      let taken = 0;
      let woken: Promise<void> | null = null;
      let wakes = 0;
      let sleeps = 0;
      while (taken < items) {
        if (exchange(words, 0, 0) === 1) {
          taken++;
          signal();
          continue;
        }
        let wake = () => {};
        const wakened = new Promise<void>((resolve) => {
          wake = () => {
            wakes++;
            resolve();
          };
        });
        const wasAsleep = sleeper.asleep;
        const mayRest =
          plant === 'flag set after the look for work'
            ? sleepTooLate(bells, hasWork, wake)
            : sleeper.sleep(hasWork, wake);
        if (!mayRest) continue;
        if (!wasAsleep) {
          sleeps++;
          woken = wakened;
        }
        // now and then a socket wakes the thread first: it looks for work, and goes on sleeping
        if (random(4) === 0) continue;
        await woken;
      }
      check(wakes <= sleeps, 'each sleep ends once');
    },
    ([bells, work], _seed, plant) => {
      const bell = new Bell(bells, 0);
      const words = new Int32Array(work);
      for (let i = 0; i < items; i++) {
        if (plant === 'rings before it publishes') bell.ring();
        add(words, 0, 1);
        if (plant !== 'rings before it publishes') bell.ring();
        // one item at a time, so that no later ring makes good for a lost one
        sleepUntilSignal();
      }
    },
  ],
};
