import { CliError } from './exit.js';

/** For a payload that the server would close the connection for. */
export function payloadTooLong(bytesMax: number): CliError {
  return new CliError(`the payload is longer than the server's max_payload of ${bytesMax} bytes`);
}
