import { interleave } from './harness.js';

interleave('Invariant 3. A bell that rings is heard', 'wakeUp');
interleave('Invariant 3. A byte in its pipe wakes who sleeps', 'wakeByPipe');
