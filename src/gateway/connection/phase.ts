import { assert } from '../../base/assert.js';

/**
 * `open`: reads and writes; `closing`: its last words are on their way, input is thrown away; `closed`: gone.
 */
export type ConnectionState = 'open' | 'closing' | 'closed';

const mayFollow: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  open: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
};

/** Asserts that a connection may go from one state to the other. */
export function assertFollows(from: ConnectionState, to: ConnectionState): void {
  assert(mayFollow[from].includes(to), `a connection that is ${from} does not become ${to}`);
}
