import type { Gateway } from '../gateway/gateway.js';
import type { LameDuckOrder } from './threadMessages.js';

/** The shortest time between two ends, in milliseconds: where there are more connections, several end at once. */
const stepMs = 20;

/**
 * Ends a gateway's connections one after the other, spread over a while, so that the servers to which the clients go
 * are not all called upon at once.
 */
export class LameDuck {
  readonly #gateway: Gateway;
  readonly #endMs: number;
  #timer: NodeJS.Timeout;

  constructor(gateway: Gateway, { graceMs, durationMs }: LameDuckOrder) {
    this.#gateway = gateway;
    this.#endMs = performance.now() + durationMs;
    // clients are left alone at first: many leave by themselves
    this.#timer = setTimeout(() => this.#step(), graceMs);
  }

  /** Leaves the connections that are left to whoever calls. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #step(): void {
    const leftMs = this.#endMs - performance.now();
    if (leftMs <= stepMs) {
      this.#gateway.endAll();
      return;
    }
    const { size } = this.#gateway.connections;
    this.#gateway.lifecycle.endSome(Math.ceil((size * stepMs) / leftMs), 'lame duck mode');
    this.#timer = setTimeout(() => this.#step(), Math.max(stepMs, leftMs / Math.max(1, size)));
  }
}
