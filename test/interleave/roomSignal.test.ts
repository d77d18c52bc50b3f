import { interleave } from './harness.js';

interleave('Invariant 2. A producer that waits for room is told', 'roomSignal');
