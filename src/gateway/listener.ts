import type { MessageView } from '../base/messageView.js';
import type { Topic } from '../router/topic.js';

/** Takes what comes for a subscription that the gateway itself has made for a connection, in place of the connection. */
export interface Listener {
  /** Memory that it takes, in bytes. */
  readonly heldBytes: number;
  /** Message `index` of a run has come. Nothing is published before this returns. */
  onMessage(topic: Topic, message: MessageView, index: number): void;
  /** Its subscription has ended. */
  onEnd(): void;
}
