import { interleave } from './harness.js';

interleave('Invariant 4. A lane keeps its order through outbox and fragments', 'lanes');
