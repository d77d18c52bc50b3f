import { interleave } from './harness.js';

interleave('Invariant 35. What is published while its pattern changes owners comes in order and once', 'handover');
