import { interleave } from './harness.js';

// Invariants 2, 4 of docs/INVARIANTS.md.

interleave('Invariant 4. A lane keeps its order through outbox and fragments', 'lanes');
