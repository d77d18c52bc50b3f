/** What one connection has said and was sent since it began. `Meter` changes the counts, `Health` when it was active. */
export class Traffic {
  /** Messages that it has published, and the bytes of their headers and payloads. */
  inMessages = 0;
  inBytes = 0;
  /** Messages that were sent to it, or wait for it, and their bytes. */
  outMessages = 0;
  outBytes = 0;
  /** When it began, and when it was last seen to have said or been sent something, in milliseconds since 1970. */
  readonly startMs = Date.now();
  activeMs = this.startMs;
  /** When what it says was read, by the thread's clock. */
  readMs = 0;
  #outSeen = 0;

  /** Takes notice of what has happened since the last look. */
  look(heard: boolean): void {
    if (!heard && this.outMessages === this.#outSeen) return;
    this.#outSeen = this.outMessages;
    this.activeMs = Date.now();
  }
}
