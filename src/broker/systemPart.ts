import { faultLogMs } from '../base/limits.js';
import type { ShardServices } from '../shard/services.js';
import { SystemService } from '../shard/system/systemService.js';
import type { SystemVoice } from '../shard/system/systemVoice.js';
import type { MonitoredShard } from './monitoredShard.js';
import { decider } from './streamLinks.js';
import type { SystemEvents } from './systemEvents.js';

/** A shard's thread's part of the system account: all tell of their connections; the first one answers, and tells of the server. */
export class SystemPart {
  readonly voice: SystemVoice;
  readonly events: SystemEvents;
  readonly #self: number;
  readonly #monitored: Pick<MonitoredShard, 'ask'>;
  #lostTold = 0;
  #nextTellMs = 0;

  constructor(self: number, voice: SystemVoice, events: SystemEvents, monitored: Pick<MonitoredShard, 'ask'>) {
    this.#self = self;
    this.voice = voice;
    this.events = events;
    this.#monitored = monitored;
  }

  /** Begins to answer, for a server of that id. */
  serve(services: ShardServices, id: string): void {
    const { ask } = this.#monitored;
    new SystemService(this.voice, (subject, body) => ask('systemAnswer', subject, body)).open(services, id);
  }

  onEnding(event: 'LAMEDUCK' | 'SHUTDOWN'): void {
    if (this.#self === decider) this.events.onEnding(event);
  }

  /** Now and then. @param onLost is told of events that could not be told, seldom */
  tick(nowMs: number, onLost: (lost: number) => void): void {
    if (this.#self === decider) this.events.tick(nowMs, () => this.#monitored.ask('statsz'));
    const { lost } = this.voice;
    if (lost === this.#lostTold || nowMs < this.#nextTellMs) return;
    onLost(lost - this.#lostTold);
    this.#lostTold = lost;
    this.#nextTellMs = nowMs + faultLogMs;
  }
}
