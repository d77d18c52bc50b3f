import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { type Place, placeOf, Span } from '../../src/base/span.js';
import type { Disk } from '../../src/log/disk.js';
import type { DurableStorage } from '../../src/log/durableStorage.js';
import type { DurableSetting } from '../../src/log/durableStorages.js';
import type { JournalShape } from '../../src/log/journalShape.js';
import type { RecordView, Storage } from '../../src/log/storage.js';
import type { Timers } from '../../src/log/timers.js';

/** Small, so that files, blocks and their ends come often. */
export const smallShape: JournalShape = {
  fileBytes: 48 * 1024,
  commitBytes: 8 * 1024,
  entryBytesMax: 20 * 1024,
  subjectBytesMax: 1024,
  streamsMax: 16,
  checkpointBytes: 48 * 1024,
  checkpointRatio: 0,
};

export const journalId = Uint8Array.from([9, 8, 7, 6, 5, 4, 3, 2]);

/** Streams on a simulated disk, which has `/journal` and `/streams`, and nothing damaged. */
export function simSetting(disk: Disk, timers: Timers, random: () => number, buffered = false): DurableSetting {
  return {
    disk,
    timers,
    place: { streams: '/streams', journals: '/journal', id: journalId, shape: smallShape },
    shard: 0,
    buffered,
    random,
    owns: () => true,
    onUnsaved: (reason) => {
      // what a test has asked for
      if (!reason.startsWith('simulated ')) throw new Error(reason);
    },
    onDamage: (damage) => {
      throw new Error(`damage where nothing was damaged: ${JSON.stringify(damage)}`);
    },
  };
}

/** A run of messages without headers. */
export function runOf(payloads: readonly string[]): MessageView {
  const view = new MessageView();
  view.count = payloads.length;
  let text = '';
  for (const [i, payload] of payloads.entries()) {
    view.starts[i] = text.length;
    text += payload;
    view.ends[i] = text.length;
    text += '\r\n';
  }
  view.span = new Span(latin1Bytes(text));
  return view;
}

export function subjectOf(text: string): Place {
  return placeOf(latin1Bytes(text));
}

/** Removes all records below a sequence, which is none behind the next one. */
export function removeBelow(storage: Storage, sequence: number): void {
  const durable = storage as DurableStorage;
  while (durable.firstSequence < sequence) durable.remove(durable.firstSequence);
}

/** What a record shows, in one text. */
export function textOf(record: RecordView): string {
  const { sequence, timeUs, span, subjectStart, subjectEnd, start, end } = record;
  const subject = latin1String(span.bytes, subjectStart, subjectEnd);
  return `${sequence}@${timeUs} ${subject} ${latin1String(span.bytes, start, end + 2)}`;
}
