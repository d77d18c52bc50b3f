/** What an endpoint says of its subscribers of a topic. Numbers, since it travels on control lanes. The greatest that applies is said. */
export const fullness = {
  /** At least one takes what comes, and none has to be waited for. */
  ready: 0,
  /** A group has had its share of waiting: what comes for it now is dropped. */
  dropping: 1,
  /** All are full: the topic is full when it is so at every endpoint that wants it. */
  full: 2,
  /** A group of clients has much work waiting: publishers wait within a budget, but not those that have some of it in flight. */
  working: 3,
  /** It has so much waiting that those are refused. */
  overworked: 4,
  /** A client's subscription that is to get everything has too much waiting: publishers wait within a budget. */
  blocked: 5,
  /** As `working` and `overworked`, of a group with members in the process itself: publishers wait for it without limit. */
  workingHere: 6,
  overworkedHere: 7,
  /** A subscription of the process itself has too much waiting: publishers wait for it without limit. */
  held: 8,
  /** A stream's journal has much to write yet: publishers wait, without limit, to whatever the stream takes by the same pattern. */
  behind: 9,
} as const;

export type Fullness = (typeof fullness)[keyof typeof fullness];
