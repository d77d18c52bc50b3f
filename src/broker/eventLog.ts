import type { Logger } from './logger.js';
import type { ShardEvent } from './threadMessages.js';

type EventType = ShardEvent['type'];
type EventOf<T extends EventType> = Extract<ShardEvent, { type: T }>;

/** How an event is logged: its fields go beside the text. */
interface Entry<T extends EventType> {
  readonly level: 'debug' | 'warn' | 'error';
  text(event: EventOf<T>): string;
}

const workLostTexts = {
  dropped: 'publishers wait no longer for a group that takes nothing: its messages are dropped',
  abandoned: 'a group has had no members for too long: what waited for it is dropped',
} as const;

const entries: { readonly [T in EventType]: Entry<T> } = {
  slowConsumer: warning('slow consumer: connection is ended'),
  blockSpent: warning('publishers wait no longer for a subscriber: its policy block is now disconnect'),
  workLost: { level: 'warn', text: ({ why }) => workLostTexts[why] },
  systemEventsLost: warning('events of the system account were not told: too many at once'),
  lettersLost: warning('dead letters are not published: they are denied, or too many'),
  workFull: warning('memory-max is reached: what waits for the group that held most is dropped'),
  memoryFull: warning('memory-max is reached: the connection that held most is ended'),
  losing: warning('slow subscriber: messages are dropped'),
  lastValuesFull: warning('no room for more last values: those not replaced for the longest are dropped'),
  diskFailed: {
    level: 'error',
    text: () => 'the disk failed: streams on it refuse what is published to them until a restart',
  },
  unsaved: warning('the disk did not take what the next start needs: it will read the journal'),
  damaged: {
    level: 'error',
    text: ({ messages }) =>
      `a journal is damaged: ${messages > 0 ? 'messages are lost' : 'no message that is kept was there'}`,
  },
  unverified: { level: 'error', text: () => 'a password could not be compared with its hash: the login is refused' },
  closed: { level: 'debug', text: () => 'connection ended' },
};

/** Logs what has happened on a shard's thread. */
export function logEvent<T extends EventType>(log: Logger, event: EventOf<T> & { type: T }): void {
  const { level, text } = entries[event.type];
  const { type: _, ...fields } = event;
  log[level](fields, text(event));
}

function warning(text: string): { level: 'warn'; text: () => string } {
  return { level: 'warn', text: () => text };
}
