import { besideSlow } from './besideSlow.js';
import { conflation } from './conflation.js';
import { lastValue } from './lastValue.js';
import { lingering } from './lingering.js';

/** `npm run bench:policies [-- slow conflate linger last]`: what slow subscribers do to others, what batches save, what last values cost. */
const wanted = process.argv.slice(2);
const all = wanted.length === 0;
if (all || wanted.includes('slow')) await besideSlow(3);
if (all || wanted.includes('conflate')) await conflation(8_000);
if (all || wanted.includes('linger')) await lingering();
if (all || wanted.includes('last')) await lastValue();
