import { besideSlow } from './besideSlow.js';
import { conflation } from './conflation.js';
import { lastValue } from './lastValue.js';
import { uneven } from './uneven.js';

/** `npm run bench:policies [-- slow uneven conflate last]`: what slow subscribers do to others, how old what they read is, what last values cost. */
const wanted = process.argv.slice(2);
const all = wanted.length === 0;
if (all || wanted.includes('slow')) await besideSlow(3);
if (all || wanted.includes('uneven')) await uneven(3, 30);
if (all || wanted.includes('conflate')) await conflation(8_000);
if (all || wanted.includes('last')) await lastValue();
