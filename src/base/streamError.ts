import { BrokerError } from './brokerError.js';

/** What the API of streams, or a stream, has refused: in the server's words, with its numbers. */
export class StreamError extends BrokerError {
  override readonly name = 'StreamError';
  /** As in HTTP. */
  readonly status: number;
  /** NATS's number of the error. */
  readonly errorNumber: number;

  /** @internal */
  constructor(status: number, errorNumber: number, description: string) {
    super(codes[errorNumber] ?? 'STREAM_REFUSED', description);
    this.status = status;
    this.errorNumber = errorNumber;
  }
}

/** Those that a program tells apart; any other is STREAM_REFUSED. */
const codes: Readonly<Record<number, string>> = {
  10023: 'OUT_OF_RESOURCES',
  10037: 'MESSAGE_NOT_FOUND',
  10043: 'MESSAGE_NOT_FOUND',
  10058: 'STREAM_EXISTS',
  10059: 'STREAM_NOT_FOUND',
  10065: 'SUBJECTS_OVERLAP',
  10070: 'WRONG_LAST_ID',
  10071: 'WRONG_LAST_SEQUENCE',
  10077: 'STREAM_FULL',
};
