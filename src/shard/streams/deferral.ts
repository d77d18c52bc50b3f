import { assert } from '../../base/assert.js';
import { MessageView } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import type { Role } from '../../base/role.js';
import { copySpan } from '../../base/span.js';
import type { Topic } from '../../router/topic.js';
import type { ApiError } from '../../stream/api/apiError.js';
import type { Stream } from '../../stream/stream.js';
import type { Voice } from '../voice.js';
import type { OnRefused } from './capture.js';
import { CommitQueue } from './commitQueue.js';

// A run, its positions counted from its bytes on:
//
//   0            4             8               12                 16
//   | count u32  | parts u32   | subject u32   | except u32       | token f64  | starts, ends, reply starts and ends, header lengths, i32 each
//
// then the subject and the run's bytes.
const countAt = 0;
const partsAt = countAt + 4;
const subjectAt = partsAt + 4;
const exceptAt = subjectAt + 4;
const tokenAt = exceptAt + 4;
const headBytes = tokenAt + 8;

const parts = { replies: 1, headers: 2 } as const;

/** Messages in order that are delivered when what became of them is on disk: nobody sees what a crash could take back. */
export class Deferral implements Role {
  /** Runs that were ever kept, and how many of them were delivered. */
  deferred = 0;
  passed = 0;
  readonly #voice: Pick<Voice, 'pass'>;
  readonly #onRefused: OnRefused;
  readonly #queue = new CommitQueue();
  readonly #run = new MessageView();

  constructor(voice: Pick<Voice, 'pass'>, onRefused: OnRefused) {
    this.#voice = voice;
    this.#onRefused = onRefused;
  }

  /** What waits to be delivered, in bytes. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  /** Called now and then. */
  tidy(): void {
    this.#queue.tidy();
  }

  /** Keeps a run whose messages a stream has just taken or refused. */
  add(topic: Topic, run: MessageView, stream: Stream): void {
    assert(run.shown === null && run.returns === 0, 'only what is published is stored');
    this.deferred++;
    const { count, firstByte } = run;
    const flags = (run.withReplies ? parts.replies : 0) | (run.withHeaders ? parts.headers : 0);
    const subjectBytes = topic.end - topic.start;
    const endByte = run.ends[count - 1] + lineEndBytes;
    const tablesBytes = 4 * count * tablesOf(flags);
    const at = this.#queue.add(headBytes + tablesBytes + subjectBytes + endByte - firstByte, stream);
    const { span } = this.#queue;
    span.view.setUint32(at + countAt, count, true);
    span.view.setUint32(at + partsAt, flags, true);
    span.view.setUint32(at + subjectAt, subjectBytes, true);
    span.view.setUint32(at + exceptAt, run.exceptConnection, true);
    span.view.setFloat64(at + tokenAt, run.syncToken, true);
    this.#layTables(at + headBytes, run, firstByte);
    const bytesAt = copySpan(span, at + headBytes + tablesBytes, topic.span, topic.start, topic.end);
    copySpan(span, bytesAt, run.span, firstByte, endByte);
  }

  /** Delivers what may be seen; returns whether there is more of that. */
  doWork(): boolean {
    const queue = this.#queue;
    while (queue.bytes > 0) {
      // what is not stored is delivered all the same, as what a stream refuses is
      const commit = queue.firstCommit;
      if (commit === 'waiting') return false;
      if (commit === 'failed') this.#refuseFirst();
      if (!this.#passFirst()) return true;
      queue.drop();
      this.passed++;
    }
    return false;
  }

  /** Who waits for the first run to be stored is told that it is not, once. */
  #refuseFirst(): void {
    const { span, first: at } = this.#queue;
    const token = span.view.getFloat64(at + tokenAt, true);
    if (token === 0) return;
    span.view.setFloat64(at + tokenAt, 0, true);
    this.#onRefused(token, (this.#queue.firstStream as Stream).failure as ApiError);
  }

  #layTables(at: number, run: MessageView, firstByte: number): void {
    const { view } = this.#queue.span;
    const { count } = run;
    let to = at;
    forEachTable(run, (table, isPosition) => {
      const less = isPosition ? firstByte : 0;
      for (let i = 0; i < count; i++, to += 4) view.setInt32(to, table[i] - less, true);
    });
  }

  #passFirst(): boolean {
    const { span, first: at } = this.#queue;
    const { view } = span;
    const flags = view.getUint32(at + partsAt, true);
    const run = this.#run;
    run.span = span;
    run.count = view.getUint32(at + countAt, true);
    run.withReplies = (flags & parts.replies) !== 0;
    run.withHeaders = (flags & parts.headers) !== 0;
    run.exceptConnection = view.getUint32(at + exceptAt, true);
    run.syncToken = view.getFloat64(at + tokenAt, true);
    const tablesAt = at + headBytes;
    const subjectStart = tablesAt + 4 * run.count * tablesOf(flags);
    const subjectEnd = subjectStart + view.getUint32(at + subjectAt, true);
    this.#readTables(tablesAt, subjectEnd);
    return this.#voice.pass(span, subjectStart, subjectEnd, run);
  }

  #readTables(at: number, bytesAt: number): void {
    const run = this.#run;
    const { view } = run.span;
    let from = at;
    forEachTable(run, (table, isPosition) => {
      const more = isPosition ? bytesAt : 0;
      for (let i = 0; i < run.count; i++, from += 4) table[i] = view.getInt32(from, true) + more;
    });
  }
}

/** Shows what a run has a number of for each message, in the order in which it is laid: positions in its bytes, or lengths. */
function forEachTable(run: MessageView, see: (table: Int32Array, isPosition: boolean) => void): void {
  see(run.starts, true);
  see(run.ends, true);
  if (run.withReplies) {
    see(run.replyStarts, true);
    see(run.replyEnds, true);
  }
  if (run.withHeaders) see(run.headerLengths, false);
}

/** How many of these tables a run has. */
function tablesOf(flags: number): number {
  return 2 + ((flags & parts.replies) === 0 ? 0 : 2) + ((flags & parts.headers) === 0 ? 0 : 1);
}
