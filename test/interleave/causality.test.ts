import { interleave } from './harness.js';

interleave('Invariant 5. What follows from an interest finds it, by whichever thread it goes', 'causality');
