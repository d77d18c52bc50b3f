/** What the in-process API throws and rejects with. `code` tells them apart, also across realms and threads. */
export class BrokerError extends Error {
  override readonly name: string = 'BrokerError';
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
