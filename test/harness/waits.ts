/** Far beyond what a busy machine needs: only so that a hang says what it was waiting for. */
const patienceMs = 45_000;

/** What a wait may ask of its client. */
interface Waited {
  readonly closed: boolean;
  /** Why nothing that is received can be understood any more, if that is so. */
  readonly broken?: string | undefined;
  /** What came and was not what was waited for, for the error. */
  received(): string;
}

/** A client's waits: for what it receives, and never for time. */
export class Waits {
  readonly #client: Waited;
  readonly #checks = new Set<() => void>();

  constructor(client: Waited) {
    this.#client = client;
  }

  /** Something has come, or the connection has been closed. */
  wake(): void {
    for (const check of [...this.#checks]) check();
  }

  until(done: () => boolean, what: string, mayClose = false): Promise<void> {
    const client = this.#client;
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#checks.delete(check);
        settle();
      };
      const fail = (why: string): void =>
        finish(() => reject(new Error(`${why} while waiting for ${what}; received ${client.received()}`)));
      const check = (): void => {
        if (client.broken !== undefined) fail(client.broken);
        else if (done()) finish(resolve);
        else if (client.closed && !mayClose) fail('the connection was closed');
      };
      const timer = setTimeout(() => fail('nothing more came'), patienceMs);
      this.#checks.add(check);
      check();
    });
  }
}
