import { Alarm } from '../base/alarm.js';
import { memoryScanMs } from '../base/limits.js';
import type { Role } from '../base/role.js';
import type { Turn } from '../base/turn.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import type { Backpressure } from './backpressure.js';
import type { Delivery } from './delivery.js';
import type { Egress } from './egress.js';
import type { MemoryPressure } from './memoryPressure.js';
import type { ProtocolLog } from './protocolLog.js';

/** The parts of a gateway that have something to do when its clients have been written to. */
export interface FlushingParts {
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly egress: Egress;
  readonly delivery: Delivery;
  readonly backpressure: Backpressure;
  readonly pressure: MemoryPressure;
  readonly protocolLog: Pick<ProtocolLog, 'any' | 'doWork'>;
  readonly turn: Turn;
  /** Whoever is parked may try again. */
  relieve(): void;
}

/** The last part of a turn: every client is written what has collected for it, and it is settled when the thread has to wake again. */
export class Flushing implements Role {
  readonly #parts: FlushingParts;
  /** Wakes the thread when what is held back for some connection is due. */
  readonly #alarm: Alarm;

  constructor(parts: FlushingParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(() => parts.turn.request());
  }

  doWork(): boolean {
    const { egress, pressure, turn, protocolLog } = this.#parts;
    egress.flush();
    if (protocolLog.any) protocolLog.doWork();
    pressure.doWork(egress.nowMs);
    this.#goOnWithImages();
    if (egress.waiting) turn.request();
    this.#lookAtHolds();
    return false;
  }

  /** Asks for more of images, where what came of them has gone out. */
  #goOnWithImages(): void {
    const { delivery, egress, pressure, exchange, turn } = this.#parts;
    const { images } = delivery;
    if (!images.waiting || pressure.short || !images.goOn(egress.nowMs)) return;
    exchange.publish();
    turn.request();
  }

  /** Whoever has waited long enough tries again, and the thread wakes when the next has. */
  #lookAtHolds(): void {
    const { egress, router, backpressure, pressure } = this.#parts;
    const { nowMs } = egress;
    const { holds } = router;
    if (nowMs >= holds.dueMs) {
      holds.dueMs = Number.POSITIVE_INFINITY;
      this.#parts.relieve();
    }
    const pressureDueMs = pressure.short ? nowMs + memoryScanMs : Number.POSITIVE_INFINITY;
    this.#alarm.set(Math.min(egress.batchDueMs, backpressure.dueMs, holds.dueMs, pressureDueMs), nowMs);
  }
}
