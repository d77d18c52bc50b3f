import { interleave } from './harness.js';

interleave('Invariant 28. Nothing comes for a member of a group that has left behind its fence', 'fence');
