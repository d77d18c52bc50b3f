import { expect, test } from 'vitest';
import { logUnwrittenBytesMax } from '../../src/base/limits.js';
import { logWhenNeeded } from '../../src/broker/log.js';
import { heapBytes } from '../heap.js';

test('a log whose disk is full keeps so much, and no more', () => {
  const log = logWhenNeeded({ logFile: '/dev/full', logLevel: 'info', debug: false, pretty: false })();
  const line = 'x'.repeat(64 * 1024);
  log.protocol(line);
  const before = heapBytes();
  const lines = (8 * logUnwrittenBytesMax) / line.length;
  for (let i = 0; i < lines; i++) log.protocol(line);
  expect(heapBytes() - before).toBeLessThan(3 * logUnwrittenBytesMax);
});
