import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect } from 'vitest';
import type { Disk } from '../../src/log/disk.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { systemDisk } from '../../src/log/files.js';
import { systemTimers } from '../../src/log/timers.js';
import { journalId, smallShape } from './durableRun.js';

/** A folder for `storagesIn`, which whoever asked for it removes. */
export function storagesFolder(): string {
  const data = mkdtempSync(`${tmpdir()}/shardcast-log-`);
  mkdirSync(`${data}/journal`);
  mkdirSync(`${data}/streams`);
  return data;
}

let number = 1;

/** What one shard stores on a real disk; nothing may be damaged, or fail to be saved. */
export function storagesIn(data: string, disk: Disk = systemDisk): DurableStorages {
  return new DurableStorages({
    disk,
    timers: systemTimers,
    place: { streams: `${data}/streams`, journals: `${data}/journal`, id: journalId, shape: smallShape },
    shard: 0,
    buffered: false,
    random: () => number++,
    owns: () => true,
    onUnsaved: (reason) => expect.fail(reason),
    onDamage: (damage) => expect.fail(`damage: ${JSON.stringify(damage)}`),
  });
}
