import { BrokerError } from '../client/errors.js';

/** The streams on disk cannot be opened: another broker has them, or what the message says. */
export class DataError extends BrokerError {
  override readonly name = 'DataError';

  /** @internal */
  constructor(message: string) {
    super('DATA', message);
  }
}
