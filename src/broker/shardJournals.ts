import { randomInt } from 'node:crypto';
import { HistogramWriter } from '../base/histogram.js';
import { histogramIn, tallyRow } from '../base/tally.js';
import type { Damage, LostRange } from '../log/damage.js';
import { DurableStorages } from '../log/durableStorages.js';
import { systemDisk } from '../log/files.js';
import { systemTimers } from '../log/timers.js';
import { shardOfStream } from '../shard/streams/streamShard.js';
import type { FromShard, ShardThreadData } from './threadMessages.js';

/** Where a shard's streams on disk are kept: those that are synced before they are acknowledged, and the others; null without a data directory. */
export type ShardJournals = Readonly<Record<'synced' | 'buffered', DurableStorages | null>>;

/** The name of a journal among a shard's. */
export function journalOf(buffered: boolean): keyof ShardJournals {
  return buffered ? 'buffered' : 'synced';
}

/** A shard's journals, which tell the main thread of damage and of what could not be kept. */
export function openJournals(data: ShardThreadData, tell: (message: FromShard) => void): ShardJournals {
  return { synced: openJournal(data, tell, false), buffered: openJournal(data, tell, true) };
}

function openJournal(
  { self, shards, tallies, streams: { place } }: ShardThreadData,
  tell: (message: FromShard) => void,
  buffered: boolean,
): DurableStorages | null {
  if (place === null) return null;
  const commits = new HistogramWriter(histogramIn(tallyRow(tallies, self), 'commit'));
  const storages: DurableStorages = new DurableStorages({
    disk: systemDisk,
    timers: systemTimers,
    place,
    shard: self,
    buffered,
    random: () => randomInt(streamNumberMax),
    owns: (name) => shardOfStream(name, shards) === self,
    onWritten: (milliseconds) => commits.add(milliseconds),
    onUnsaved: (reason) => tell({ type: 'unsaved', reason }),
    onDamage: (damage) => tell(describeDamage(damage, (number) => storages.nameOf(number) ?? '')),
  });
  return storages;
}

function describeDamage({ file, offset, lost }: Damage, nameOf: (number: number) => string): FromShard {
  const named = lost.slice(0, lostNamedMax).map(({ stream, first, last }) => ({ stream: nameOf(stream), first, last }));
  return { type: 'damaged', file, offset, streams: lost.length, messages: sequencesIn(lost), lost: named };
}

function sequencesIn(lost: readonly LostRange[]): number {
  return lost.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/** Streams on disk are numbered below this. */
const streamNumberMax = 2 ** 48 - 1;
/** Of what damage has taken so many ranges are named. */
const lostNamedMax = 16;
