/** Distinct errors kept per thread; one is usually repeated by every connection. */
const errorsMax = 8;

/** What went wrong on a thread's connections. The methods are bound, to be passed as callbacks. */
export class IncidentLog {
  connectionsLost = 0;
  readonly errors: string[] = [];

  readonly lost = (reason: string): void => {
    this.connectionsLost++;
    this.error(`connection lost: ${reason}`);
  };

  readonly error = (text: string): void => {
    if (!this.errors.includes(text) && this.errors.length < errorsMax) this.errors.push(text);
  };
}
