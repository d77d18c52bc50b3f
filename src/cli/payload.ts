import { payloadTooLong } from './payloadLimit.js';
import { readPayload } from './stdin.js';

/**
 * The payload of the command line: the text itself, or standard input for `-` or when it was left out. At a terminal
 * nobody is made to type one unless asked to: there a payload that was left out is empty.
 *
 * @param bytesMax the server's max_payload
 * @throws CliError when it is longer than that
 */
export async function givenPayload(payload: string | undefined, bytesMax: number): Promise<Uint8Array> {
  if (payload === '-' || (payload === undefined && !process.stdin.isTTY)) return readPayload(bytesMax);
  const bytes = Buffer.from(payload ?? '');
  if (bytes.length > bytesMax) throw payloadTooLong(bytesMax);
  return bytes;
}
