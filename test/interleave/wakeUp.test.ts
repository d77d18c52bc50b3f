import { interleave } from './harness.js';

interleave('Invariant 3. A bell that rings is heard', 'wakeUp');
