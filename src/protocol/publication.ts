import type { MessageView } from '../base/messageView.js';

/** A run of messages that a client publishes, as its door's reader found it. */
export interface Publication {
  readonly message: MessageView;
  /** Where the subject stands in the message's bytes. */
  readonly subjectStart: number;
  readonly subjectEnd: number;
  /** Whether the subject is known to be that of the connection's previous publish. */
  readonly subjectIsMemo: boolean;
  readonly withHeaders: boolean;
  /** Whether subject or reply hold a control byte: they must not reach any client. */
  readonly tainted: boolean;
  /** Leaves its first messages, so many; those behind them are read again as the next. */
  cut(count: number): void;
}
