/** What a gateway says of its subscribers of a topic. Numbers, since it travels on control lanes. */
export const fullness = {
  /** At least one takes what comes, and none has to be waited for. */
  ready: 0,
  /** All are full: the topic is full when it is so on every gateway that wants it. */
  full: 1,
  /** One that has to get everything is full: the topic is full, whatever the others say. */
  blocked: 2,
} as const;

export type Fullness = (typeof fullness)[keyof typeof fullness];
