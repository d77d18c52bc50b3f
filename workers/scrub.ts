import { setPriority } from 'node:os';
import { scrubBytesPerSecond, scrubThreadNice } from '../src/base/limits.js';
import { systemDisk } from '../src/log/files.js';
import { type Gap, type ScrubTask, scrubFile } from '../src/log/scrub.js';

// of this thread, where the system knows of priorities of threads: whatever else is to be done comes first
if (process.platform === 'linux') setPriority(scrubThreadNice);

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Checks a file of a journal, no faster than a scrub may read. */
export default function scrub(task: ScrubTask): Gap[] {
  const startMs = performance.now();
  return scrubFile(systemDisk, task, (bytes) => {
    const aheadMs = (bytes / scrubBytesPerSecond) * 1000 - (performance.now() - startMs);
    if (aheadMs >= 1) Atomics.wait(nobody, 0, 0, aheadMs);
  });
}
