import type { MessageView } from '../../base/messageView.js';
import type { Role } from '../../base/role.js';
import type { DeferralMark, Deferrals } from '../../router/handover.js';
import type { Topic } from '../../router/topic.js';
import { type DiskPlace, diskPlaces } from '../../stream/extensions.js';
import type { Stream } from '../../stream/stream.js';
import type { Voice } from '../voice.js';
import type { OnRefused } from './capture.js';
import { Deferral } from './deferral.js';

/**
 * Deliveries that wait for a disk: by the journal that they wait for, so that nobody waits for another's. All runs of a topic are in one of
 * them: before another stream takes its subject, a handover has waited for both.
 */
export class DeferralQueues implements Role, Deferrals {
  readonly #queues: Readonly<Record<DiskPlace, Deferral>>;
  /** In turn: the one that uses up what may be said in a turn is the last one in the next. */
  readonly #order: Deferral[];

  constructor(voice: Pick<Voice, 'pass'>, onRefused: OnRefused) {
    this.#queues = { synced: new Deferral(voice, onRefused), buffered: new Deferral(voice, onRefused) };
    this.#order = diskPlaces.map((place) => this.#queues[place]);
  }

  /** Those of the streams of a place. */
  of(place: DiskPlace): Deferral {
    return this.#queues[place];
  }

  /** All that waits to be delivered, in bytes. */
  get bytes(): number {
    return this.#order.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Keeps a run whose messages a stream has just taken or refused. */
  add(topic: Topic, run: MessageView, stream: Stream): void {
    this.#queues[stream.diskPlace].add(topic, run, stream);
  }

  mark(): DeferralMark {
    return diskPlaces.map((place) => this.#queues[place].deferred);
  }

  hasPassed(mark: DeferralMark): boolean {
    return diskPlaces.every((place, i) => this.#queues[place].passed >= mark[i]);
  }

  /** Called now and then. */
  tidy(): void {
    for (const queue of this.#order) queue.tidy();
  }

  /** Delivers what may be seen; returns whether there is more of that. */
  doWork(): boolean {
    const [first, last] = this.#order;
    const more = first.doWork();
    this.#order[0] = last;
    this.#order[1] = first;
    return last.doWork() || more;
  }
}
