import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import type { FanoutPlan } from './fanoutPlan.js';
import { Subscription } from './subscription.js';

/** Told whether somebody of this gateway's lags who takes a subscription subject. */
export type AnnounceLagging = (subject: string, lags: boolean) => void;

/**
 * Connections that lag: so much waits for them that the publishers of what they take wait, too, within a budget. It is announced by
 * the subjects of their subscriptions, and only of those through which something came meanwhile: a client may have a great many.
 */
export class Laggards {
  readonly #announce: AnnounceLagging;
  readonly #lagging = new Set<Connection>();
  /** Those of them that are waited for, with the subscription subjects that were announced. */
  readonly #waited = new Map<Connection, Set<string>>();
  /** How many of them there are by subscription subject. */
  readonly #counts = new Map<string, number>();
  /** Moves whenever another is waited for: deliveries then look again who takes them. */
  #version = 0;

  constructor(announce: AnnounceLagging) {
    this.#announce = announce;
  }

  /** Whether anybody is waited for: while nobody is, deliveries need not be looked at. */
  get any(): boolean {
    return this.#waited.size > 0;
  }

  /** Whether time may change anything. */
  get waiting(): boolean {
    return this.#lagging.size > 0;
  }

  /** Subscription subjects whose publishers wait. */
  get subjects(): number {
    return this.#counts.size;
  }

  /** A connection lags, does not any more, or is gone. */
  note(connection: Connection, nowMs: number): void {
    if (!connection.lag.lagging || connection.state !== 'open') {
      this.#lagging.delete(connection);
      this.#letGo(connection);
      return;
    }
    this.#lagging.add(connection);
    if (connection.isWaitable(nowMs)) this.#wait(connection);
  }

  /** A message of the topic was delivered while somebody is waited for. */
  afterDelivery(topic: Topic, plan: FanoutPlan, nowMs: number): void {
    if (plan.lagVersion === this.#version) return;
    plan.lagVersion = this.#version;
    for (const { local } of topic.entries)
      for (const each of local) {
        const { connection, subject } = Subscription.of(each);
        const subjects = this.#waited.get(connection);
        if (subjects === undefined || subjects.has(subject)) continue;
        subjects.add(subject);
        connection.lag.noteWaited(nowMs);
        this.#count(subject, 1);
      }
  }

  /** Looks who has taken nothing for too long, and who takes something again. */
  review(nowMs: number): void {
    for (const connection of this.#lagging) {
      const subjects = this.#waited.get(connection);
      if (!connection.isWaitable(nowMs)) this.#letGo(connection);
      else if (subjects === undefined) this.#wait(connection);
      else if (subjects.size > 0) connection.lag.noteWaited(nowMs);
    }
  }

  /** Nobody is waited for any more. */
  clear(): void {
    for (const connection of this.#lagging) this.#letGo(connection);
    this.#lagging.clear();
  }

  #wait(connection: Connection): void {
    if (this.#waited.has(connection)) return;
    this.#waited.set(connection, new Set());
    this.#version++;
  }

  #letGo(connection: Connection): void {
    const subjects = this.#waited.get(connection);
    if (subjects === undefined) return;
    this.#waited.delete(connection);
    for (const subject of subjects) this.#count(subject, -1);
  }

  #count(subject: string, by: 1 | -1): void {
    const before = this.#counts.get(subject) ?? 0;
    const after = before + by;
    if (after === 0) this.#counts.delete(subject);
    else this.#counts.set(subject, after);
    if (before === 0 || after === 0) this.#announce(subject, after > 0);
  }
}
