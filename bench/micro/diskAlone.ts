import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JournalMemory } from '../../src/base/kernel.js';
import { writeAll } from '../../src/log/disk.js';
import { systemDisk } from '../../src/log/files.js';
import { cpuMicroseconds } from '../compare/processStats.js';

const fileBytes = 16 * 1024 * 1024;
const fillBytes = 1024 * 1024;

/** What is written to a file, as a journal writes its blocks. */
export interface DiskLoad {
  readonly blockBytes: number;
  /** From the beginning of one write to that of the next, unless it takes longer; 0 for one behind the other. */
  readonly everyMs: number;
}

export interface DiskOutcome {
  readonly perSecond: number;
  readonly cpuUs: number;
  /** Of each write, sorted. */
  readonly latenciesUs: readonly number[];
}

/** How long writes to a recycled file take that are on disk when they return, with no broker beside them. */
export async function diskAlone(load: DiskLoad, directory: string, milliseconds: number): Promise<DiskOutcome> {
  const path = join(directory, 'alone.jnl');
  const { bytes } = new JournalMemory(fillBytes);
  const fresh = await systemDisk.open(path, 'fill');
  for (let at = 0; at < fileBytes; at += fillBytes) await writeAll(fresh, bytes, at);
  await fresh.sync();
  await fresh.close();
  const file = await systemDisk.open(path, 'append');
  const block = bytes.subarray(0, load.blockBytes);
  const latenciesUs: number[] = [];
  const [cpuFrom, fromMs] = [cpuMicroseconds(process.pid), performance.now()];
  for (let due = fromMs, at = 0; performance.now() < fromMs + milliseconds; at += block.length) {
    if (at + block.length > fileBytes) at = 0;
    const beganMs = performance.now();
    await writeAll(file, block, at);
    if (!file.durable) await file.sync();
    latenciesUs.push((performance.now() - beganMs) * 1000);
    due = Math.max(due + load.everyMs, performance.now());
    if (load.everyMs > 0) await sleep(due - performance.now());
  }
  const perSecond = (latenciesUs.length * 1000) / (performance.now() - fromMs);
  const cpuUs = (cpuMicroseconds(process.pid) - cpuFrom) / latenciesUs.length;
  await file.close();
  await systemDisk.remove(path);
  return { perSecond, cpuUs, latenciesUs: latenciesUs.sort((a, b) => a - b) };
}
