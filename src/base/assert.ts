/**
 * Stops the program on a broken invariant. An assertion is always our bug, never the client's:
 * what a client did wrong is a protocol error and is answered, not thrown.
 *
 * @throws AssertionError when `condition` is false
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}
