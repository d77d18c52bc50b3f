import { randomBytes } from 'node:crypto';

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const length = 22;

/** As long as NATS's, and as unlikely to come twice. */
export function uniqueId(): string {
  return Array.from(randomBytes(length), (byte) => letters[byte % letters.length]).join('');
}
