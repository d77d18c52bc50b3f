import { assert } from '../base/assert.js';

/**
 * A synchronous publish travels with a negative number where other messages name the connection that must not get them:
 * its endpoint and the number of the publish there. Connections have positive numbers, so no client can make one up.
 */
const counterBits = 22;
export const syncCounterMax = 2 ** counterBits - 1;

export function syncTokenOf(endpoint: number, counter: number): number {
  assert(endpoint < 2 ** (31 - counterBits) && counter >= 1 && counter <= syncCounterMax, 'a token fits into 31 bits');
  return -((endpoint << counterBits) | counter);
}

/** The endpoint that published. */
export function syncEndpointOf(token: number): number {
  return -token >>> counterBits;
}
