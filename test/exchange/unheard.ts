/** What a lane may tell a router of, where a test does not look at it. */
export const unheard = {
  onPlainInterest: () => {},
  onQueueInterest: () => {},
  onTopicFull: () => {},
  onLagging: () => {},
  onHoldSpent: () => {},
  onGroupSpent: () => {},
  onService: () => {},
  onInbox: () => {},
};
