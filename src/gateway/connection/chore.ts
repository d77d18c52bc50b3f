import type { Work } from '../../base/work.js';
import type { Connection } from '../connection.js';

/** Goes on with what an earlier operation of a connection has left to do; false while its share does not last for all of it. */
export function finishChore(connection: Connection, work: Work): boolean {
  const { chore } = connection;
  while (connection.chore !== null) {
    if (chore?.next().done === true) connection.chore = null;
    else if (work.spent) return false;
  }
  return true;
}
