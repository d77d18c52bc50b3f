/** What an endpoint says of its subscribers of a topic. Numbers, since it travels on control lanes. The greatest that applies is said. */
export const fullness = {
  /** At least one takes what comes, and none has to be waited for. */
  ready: 0,
  /** A group has had its share of waiting: what comes for it now is dropped. */
  dropping: 1,
  /** All are full: the topic is full when it is so at every endpoint that wants it. */
  full: 2,
  /** A client's subscription or group that is to get everything has too much waiting: publishers wait within a budget. */
  blocked: 3,
  /** One of the process itself has: publishers wait for it without limit. */
  held: 4,
} as const;

export type Fullness = (typeof fullness)[keyof typeof fullness];
