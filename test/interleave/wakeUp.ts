import { add, exchange, load, store, waitAsync } from '#atomics';
import { Bell, createBellMemory, Sleeper } from '../../src/ring/bell.js';
import { randomFrom } from '../sim/random.js';
import { check, type Scenario } from './scenario.js';

const items = 12;

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

/** One thread hands items to another, which sleeps when it finds none. If the last ring is lost, it sleeps for ever. */
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
        taken += exchange(words, 0, 0);
        if (taken === items) break;
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
      check(taken === items, 'nothing is taken twice');
      check(wakes <= sleeps, 'each sleep ends once');
    },
    ([bells, work], _seed, plant) => {
      const bell = new Bell(bells, 0);
      const words = new Int32Array(work);
      for (let i = 0; i < items; i++) {
        if (plant === 'rings before it publishes') bell.ring();
        add(words, 0, 1);
        if (plant !== 'rings before it publishes') bell.ring();
      }
    },
  ],
};
