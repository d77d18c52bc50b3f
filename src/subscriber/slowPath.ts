/** Whether what comes for a subscriber goes straight to it, or its policy decides what becomes of it. */
export type SlowState = 'current' | 'lagging';

/**
 * What may change that: it did not take all that it was offered, or what waits has reached its bound; it is paced from now on, so that
 * nothing goes straight to it; all that waited is gone, or so much of it that it counts as caught up.
 */
export type SlowEvent = 'notTaken' | 'paced' | 'caughtUp';

/** The whole slow path, of connections and of subscriptions in process. What is not here changes nothing. */
const transitions: Readonly<Record<SlowState, Readonly<Partial<Record<SlowEvent, SlowState>>>>> = {
  current: { notTaken: 'lagging', paced: 'lagging' },
  lagging: { caughtUp: 'current' },
};

/** Which state follows. */
export function slowStateAfter(state: SlowState, event: SlowEvent): SlowState {
  return transitions[state][event] ?? state;
}

/** Where one subscriber is on the slow path. */
export class SlowPath {
  #state: SlowState = 'current';

  get lagging(): boolean {
    return this.#state === 'lagging';
  }

  /** Something has happened; returns whether its state is another now. */
  on(event: SlowEvent): boolean {
    const before = this.#state;
    this.#state = slowStateAfter(before, event);
    return this.#state !== before;
  }
}
