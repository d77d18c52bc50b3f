import { add, exchange, load } from '#atomics';
import { Bell, createBellMemory, Sleeper } from '../../src/ring/bell.js';
import { randomFrom } from '../sim/random.js';
import { check, type Scenario } from './scenario.js';
import { sleepUntilSignal } from './turnstile.js';

const items = 20;
/** Any number that is not 0: the double of `poke` signals the other thread. */
const pipe = 7;

/** As `wakeUp`, where the one that sleeps is woken by a byte in its pipe; a socket may wake it before, and it takes its flag back. */
export const wakeByPipe: Scenario = {
  planted: ['flag taken back behind the look for work', 'rings before it publishes'],

  memory: () => {
    const bells = createBellMemory(2);
    // before both threads begin
    new Sleeper(bells, 0).wakeByPipe(pipe);
    return [bells, new SharedArrayBuffer(8)];
  },

  threads: [
    ([bells, work], seed, plant) => {
      const random = randomFrom(seed);
      const sleeper = new Sleeper(bells, 0);
      sleeper.wakeByPipe(pipe);
      const words = new Int32Array(work);
      const hasWork = () => load(words, 0) !== 0;
      let wakes = 0;
      let sleeps = 0;
      for (let taken = 0; taken < items; ) {
        if (plant !== 'flag taken back behind the look for work') sleeper.awake();
        if (exchange(words, 0, 0) === 1) {
          taken++;
          add(words, 1, 1);
          continue;
        }
        if (!sleeper.sleep(hasWork, () => wakes++)) continue;
        sleeps++;
        // now and then a socket wakes the thread first
        if (random(4) === 0) {
          check(sleeper.asleep, 'who sleeps knows it');
          continue;
        }
        if (plant === 'flag taken back behind the look for work') sleeper.awake();
        sleepUntilSignal();
        sleeper.rung();
      }
      check(wakes <= sleeps, 'nobody is woken more often than it slept');
    },
    ([bells, work], _seed, plant) => {
      const bell = new Bell(bells, 0);
      const words = new Int32Array(work);
      for (let i = 0; i < items; i++) {
        if (plant === 'rings before it publishes') bell.ring();
        add(words, 0, 1);
        if (plant !== 'rings before it publishes') bell.ring();
        // one item at a time, so that no later ring makes good for a lost one
        while (load(words, 1) === i);
      }
    },
  ],
};
