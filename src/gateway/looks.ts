import type { Connection } from './connection.js';

/**
 * How connections' deliveries look: their dialect, whether they take headers, what they have a right to, whether they are there at all. A plan made at one version
 * holds for a later one if the look of none of its connections has changed since. So a change costs nothing but where it matters, and
 * that when it next does, however many subscriptions the connection has.
 */
export class Looks {
  version = 0;

  /** The connection looks different from now on, or has ended. */
  change(connection: Connection): void {
    if (connection.subscriptions.size > 0) connection.lookVersion = ++this.version;
  }
}
