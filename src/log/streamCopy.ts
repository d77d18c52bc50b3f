import { MessageView } from '../base/messageView.js';
import type { DurableStorage } from './durableStorage.js';
import { committed, type RecordView, type Storage } from './storage.js';

/** How often it is looked whether the disk is full, in milliseconds. */
const spaceLookMs = 100;

/**
 * Copies all records of a stream to an empty one, under their sequences. Resolves when these are on disk.
 *
 * @param onUnreadable told why a record cannot be read, which is left out; what it throws ends the copying
 * @throws rejects with what the target's disk said
 */
export async function copyStream(
  source: DurableStorage,
  target: DurableStorage,
  onUnreadable: (reason: string) => void,
): Promise<void> {
  const view = new MessageView();
  const { nextSequence } = source;
  for (let at = source.nextThere(source.firstSequence); at < nextSequence; at = source.nextThere(at + 1)) {
    const failure = await readRecord(source, at, (record) => append(target, record, view));
    if (failure !== null) onUnreadable(failure);
    if (target.intake !== 'open') await onDisk(target);
  }
  if (nextSequence > target.nextSequence) target.skipTo(nextSequence);
  await onDisk(target);
}

/** Resolves when all that was copied is on disk; rejects when there is no room for it, or with what the disk said. */
export async function onDisk(target: Storage): Promise<void> {
  let look: NodeJS.Timeout | undefined;
  const full = new Promise<never>((_, reject) => {
    look = setInterval(() => {
      if (target.intake === 'full') reject(new Error('there is no space left on the disk'));
    }, spaceLookMs);
  });
  try {
    await Promise.race([committed(target), full]);
  } finally {
    clearInterval(look);
  }
}

/** Shows a record, if it is there; resolves then, with why it cannot be read or null. */
export function readRecord(
  source: DurableStorage,
  sequence: number,
  use: (record: RecordView) => void,
): Promise<string | null> {
  return new Promise((resolve) => {
    const show = (record: RecordView | null) => {
      if (record !== null) use(record);
      resolve(null);
    };
    source.read(sequence, show, ({ reason }) => resolve(reason));
  });
}

function append(target: DurableStorage, record: RecordView, view: MessageView): void {
  if (record.sequence > target.nextSequence) target.skipTo(record.sequence);
  const { span, subjectStart, subjectEnd, start, end, headerBytes, timeUs } = record;
  view.set(span, start, end);
  view.setHeaders(headerBytes);
  target.append({ span, start: subjectStart, end: subjectEnd }, view, 0, 1, timeUs);
}
