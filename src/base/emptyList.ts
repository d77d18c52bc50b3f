/**
 * Takes everything out of a list that is filled again soon. To set its length is a call out of compiled code, and gives up its memory, which the next
 * turn asks for again.
 */
export function emptyList(list: unknown[]): void {
  while (list.length > 0) list.pop();
}
