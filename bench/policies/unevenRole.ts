/** What a process of its own does: one client of a broker, so that the system shares the processors out among them. */
export interface UnevenRole {
  readonly port: number;
  readonly payloadBytes: number;
  /** Messages that the publisher sends; or until it is told to stop. */
  readonly messages: number;
  readonly role: 'publisher' | 'reader';
  /** Of a reader: bytes a second at most, and when it stops reading for good, in milliseconds after its first message. */
  readonly bytesPerSecond?: number;
  readonly stopsAfterMs?: number;
}

/** What it says: that it is ready, how many bytes it has read by now (every `reportMs`), that its connection has ended. */
export type UnevenReport = { ready: true } | { atMs: number; bytes: number } | { ended: string; atMs: number };

export const reportMs = 10;
