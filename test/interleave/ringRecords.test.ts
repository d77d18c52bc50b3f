import { interleave } from './harness.js';

interleave('Invariant 1. Records are neither lost, torn, reordered nor read before they are published', 'ringRecords');
