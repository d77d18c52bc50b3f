/** When things are done: the system's, or a simulated one's. */
export interface Timers {
  /** Milliseconds since some moment; it goes forward only. */
  nowMs(): number;
  /** Once what the thread does now, and has come meanwhile, is done. */
  soon(action: () => void): void;
  /** Once; does not keep the process alive. */
  after(milliseconds: number, action: () => void): void;
}

export const systemTimers: Timers = {
  nowMs: () => performance.now(),
  soon: (action) => void setImmediate(action),
  after: (milliseconds, action) => void setTimeout(action, milliseconds).unref(),
};
