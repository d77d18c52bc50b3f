import { BrokerError } from '../base/brokerError.js';

/** An option that cannot be used. Its message is one line: where the value came from, what was wrong, what is allowed. */
export class OptionsError extends BrokerError {
  override readonly name = 'OptionsError';

  /** @internal */
  constructor(message: string) {
    super('BAD_OPTION', message);
  }
}
