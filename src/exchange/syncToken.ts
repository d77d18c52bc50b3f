import { assert } from '../base/assert.js';

// What names a publish of whose fate its publisher is told. Never 0; no door lets a client say one.
//
//   | endpoint | store | number of the publish there |
//
const counterBits = 21;
export const syncCounterMax = 2 ** counterBits - 1;
const storeBit = 1 << counterBits;
const endpointShift = counterBits + 1;

/** Of a publish that waits for all who take it. */
export function syncTokenOf(endpoint: number, counter: number): number {
  assert(
    endpoint < 2 ** (31 - endpointShift) && counter >= 1 && counter <= syncCounterMax,
    'a token fits into 31 bits',
  );
  return (endpoint << endpointShift) | counter;
}

/** Of a publish that waits for nothing but to be in order and, where a stream takes it, stored. */
export function storeTokenOf(endpoint: number, counter: number): number {
  return syncTokenOf(endpoint, counter) | storeBit;
}

export function isStoreToken(token: number): boolean {
  return (token & storeBit) !== 0;
}

/** The endpoint that published. */
export function syncEndpointOf(token: number): number {
  return token >>> endpointShift;
}
