/** A message that a member of a group has in flight: it is being worked on, or it is held back until a time that the member has named. */
export type WorkState = 'working' | 'pausing';

/**
 * What happens to it. Its member is done with it, gives it up now, or after a time, says that it is still at it, or that nobody is to have it
 * again. Its time is over: that to say something in, or that for which it is held back. Its member goes.
 */
export type WorkEvent = 'ack' | 'nack' | 'nackLater' | 'working' | 'terminate' | 'due' | 'left';

/** What becomes of it: it stays in flight, or leaves it because it is done, is another member's to have, or nobody's. */
export type WorkOutcome = WorkState | 'done' | 'returned' | 'terminated';

/** What a member says of a message that it has. */
export type WorkAnswer = Exclude<WorkEvent, 'due' | 'left'>;

/** The whole of it. What is held back is still its member's, who may think better of it. */
const outcomes: Readonly<Record<WorkState, Readonly<Record<WorkEvent, WorkOutcome>>>> = {
  working: {
    ack: 'done',
    nack: 'returned',
    nackLater: 'pausing',
    working: 'working',
    terminate: 'terminated',
    due: 'returned',
    left: 'returned',
  },
  pausing: {
    ack: 'done',
    nack: 'returned',
    nackLater: 'pausing',
    working: 'working',
    terminate: 'terminated',
    due: 'returned',
    left: 'returned',
  },
};

/** What becomes of a message in flight. */
export function workOutcome(state: WorkState, event: WorkEvent): WorkOutcome {
  return outcomes[state][event];
}
