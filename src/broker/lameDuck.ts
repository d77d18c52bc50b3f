import type { Gateway } from '../gateway/gateway.js';

/**
 * Ends a gateway's connections one after the other, spread over a while, so that the servers to which the clients go
 * are not all called upon at once.
 */
export class LameDuck {
  /** To be cleared when the thread ends before the ducks have gone. */
  readonly timers: NodeJS.Timeout[] = [];

  /** @param graceMs how long clients are left alone, in which many leave by themselves */
  constructor(gateway: Gateway, graceMs: number, durationMs: number) {
    this.timers.push(setTimeout(() => this.#begin(gateway, durationMs), graceMs));
  }

  #begin(gateway: Gateway, durationMs: number): void {
    const waiting = [...gateway.connections.values()];
    const stepMs = 20;
    const perStep = Math.max(1, Math.ceil((waiting.length * stepMs) / Math.max(stepMs, durationMs)));
    const intervalMs = Math.max(stepMs, durationMs / Math.max(1, waiting.length));
    const step = () => {
      for (const connection of waiting.splice(0, perStep)) gateway.endAfterFlush(connection, 'lame duck mode');
    };
    step();
    this.timers.push(setInterval(step, intervalMs));
  }
}
