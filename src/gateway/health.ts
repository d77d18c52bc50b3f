import { closeLingerMs, healthTickMs } from '../base/limits.js';
import type { Connection } from './connection.js';
import type { Egress } from './egress.js';
import type { GatewayLimits } from './options.js';
import { canPing, sendPing } from './ping.js';

/** What time brings about. */
export interface HealthEvents {
  onStale(connection: Connection): void;
  onAuthTimeout(connection: Connection): void;
  onWriteDeadline(connection: Connection): void;
  onLingered(connection: Connection): void;
}

/** Watches every connection's clock: authentication, pings, the write deadline, the last words of a closing one. */
export class Health {
  readonly #limits: GatewayLimits;
  readonly #egress: Egress;
  readonly #events: HealthEvents;
  #nextPassMs = 0;

  constructor(limits: GatewayLimits, egress: Egress, events: HealthEvents) {
    this.#limits = limits;
    this.#egress = egress;
    this.#events = events;
  }

  begin(connection: Connection): void {
    const nowMs = performance.now();
    connection.clock.setNextPing(nowMs + this.#limits.pingIntervalMs);
    if (!connection.login.authenticated) connection.clock.setDeadline(nowMs + this.#limits.authTimeoutMs);
  }

  linger(connection: Connection): void {
    connection.clock.setDeadline(performance.now() + closeLingerMs);
  }

  /** A pass over all connections is made as often as the shortest of the intervals asks for, at most every tick. */
  tick(connections: Map<number, Connection>, nowMs: number): void {
    if (nowMs < this.#nextPassMs) return;
    const { pingIntervalMs, authTimeoutMs, writeDeadlineMs } = this.#limits;
    const shortestMs = Math.min(pingIntervalMs, authTimeoutMs, writeDeadlineMs, closeLingerMs);
    this.#nextPassMs = nowMs + Math.max(healthTickMs, shortestMs / 10) - healthTickMs / 2;
    for (const connection of connections.values()) this.#look(connection, nowMs);
  }

  #look(connection: Connection, nowMs: number): void {
    if (connection.clock.takeDeadline(nowMs)) {
      if (connection.state === 'closing') this.#events.onLingered(connection);
      else this.#events.onAuthTimeout(connection);
      return;
    }
    if (connection.state !== 'open') return;
    if (nowMs - lastTaken(connection, nowMs) >= this.#limits.writeDeadlineMs) {
      this.#events.onWriteDeadline(connection);
      return;
    }
    this.#pingWhenSilent(connection, nowMs);
  }

  /** Asks a client whether it is still there, when it, and we who let it wait, have been silent for an interval. */
  #pingWhenSilent(connection: Connection, nowMs: number): void {
    const { clock } = connection;
    const heard = clock.takeHeard();
    connection.traffic.look(heard);
    const active = heard || connection.parked;
    if (!active && !clock.isPingDue(nowMs)) return;
    clock.setNextPing(nowMs + this.#limits.pingIntervalMs);
    if (active) return;
    if (clock.pingsOut >= this.#limits.pingMax) {
      this.#events.onStale(connection);
      return;
    }
    if (!canPing(connection)) return;
    clock.onPing(nowMs);
    sendPing(this.#egress, connection);
  }
}

/** When the client last took, or read, something of what is there for it; now when nothing is, or it cannot say so. */
function lastTaken({ pendingBytes, output, backlogs, parked }: Connection, nowMs: number): number {
  const { pacing, waiting } = backlogs;
  if (pendingBytes > 0) return output.progressMs;
  if (pacing === null) return nowMs;
  if (parked || pacing.unanswered === 0 || waiting.size === 0) pacing.answeredMs = nowMs;
  return pacing.answeredMs;
}
