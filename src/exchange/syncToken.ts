import { assert } from '../base/assert.js';

/** What names a synchronous publish: its endpoint and the number of the publish there. Never 0; no door lets a client say one. */
const counterBits = 22;
export const syncCounterMax = 2 ** counterBits - 1;

export function syncTokenOf(endpoint: number, counter: number): number {
  assert(endpoint < 2 ** (31 - counterBits) && counter >= 1 && counter <= syncCounterMax, 'a token fits into 31 bits');
  return (endpoint << counterBits) | counter;
}

/** The endpoint that published. */
export function syncEndpointOf(token: number): number {
  return token >>> counterBits;
}
