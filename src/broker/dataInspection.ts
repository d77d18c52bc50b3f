import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { systemDisk } from '../log/files.js';
import { Inspection } from '../log/inspection.js';
import { journalShape } from '../log/journalShape.js';
import { type CopiedStream, refuseUsed, repair } from '../log/repair.js';
import { shardOfStream } from '../shard/streams/streamShard.js';
import { effectiveConfig } from '../stream/configRules.js';
import { readDescription, writeDescription } from '../stream/streamDescription.js';

const setting = { disk: systemDisk, shape: journalShape, shardOf: shardOfStream, randomBytes };

/**
 * Takes the directory of a broker's streams to look at it; nothing in it is changed.
 *
 * @param journalDir where its journals are, when they were moved; null for where it says
 * @throws Error whose text is for the user: it is none, a broker has it, it is of another version, or what the disk says
 */
export function inspectData(path: string, journalDir: string | null): Inspection {
  const journalPath = journalDir === null ? null : resolve(journalDir);
  return Inspection.open({ ...setting, path: resolve(path), journalPath });
}

/** @throws Error when a repair of one directory cannot be at another: said before all is read */
export function checkRepairTarget(from: string, to: string): void {
  const target = resolve(to);
  if (`${target}/`.startsWith(`${resolve(from)}/`))
    throw new Error(`${target} lies in what is repaired, which stays as it is`);
  refuseUsed(systemDisk, target);
}

/**
 * Copies all that an inspection has read into a new data directory.
 *
 * @param onCopied called for each stream
 * @throws rejects with a text for the user: something is there already, or what the disk says
 */
export function repairData(
  inspection: Inspection,
  to: string,
  onCopied: (copied: CopiedStream) => void,
): Promise<void> {
  return repair(inspection, { ...setting, path: resolve(to), onCopied, nameLost });
}

/** A stream whose name and configuration are not known any more keeps its messages; its only subject is its new name. */
function nameLost(number: number): { name: string; description: string } {
  const name = `RECOVERED_${number.toString(16)}`;
  const asked = { name, description: 'its name and its configuration were damaged', allow_direct: true };
  const { config } = readDescription(JSON.stringify({ created_us: 0, config: asked }));
  const createdUs = Date.now() * 1000;
  return {
    name,
    description: writeDescription({
      config: effectiveConfig({ config, pedantic: false, unsupported: [] }),
      createdUs,
      purge: null,
    }),
  };
}
