import { resolve } from 'node:path';
import { systemDisk } from '../log/files.js';
import { Inspection } from '../log/inspection.js';
import { journalShape } from '../log/journal.js';
import { shardOfStream } from '../shard/streams/streamShard.js';

/**
 * Takes the directory of a broker's streams to look at it; nothing in it is changed.
 *
 * @param journalDir where its journals are, when they were moved; null for where it says
 * @throws Error whose text is for the user: it is none, a broker has it, it is of another version, or what the disk says
 */
export function inspectData(path: string, journalDir: string | null): Inspection {
  const journalPath = journalDir === null ? null : resolve(journalDir);
  return Inspection.open({
    disk: systemDisk,
    path: resolve(path),
    journalPath,
    shape: journalShape,
    shardOf: shardOfStream,
  });
}
