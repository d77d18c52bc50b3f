import type { LaneReader } from '../laneReader.js';

/**
 * What travels on lanes. Every record begins with the ring's header (length, kind); a kind's flags stand above its
 * low byte; in records that name a subject of an account the account stands there, in the upper half. Each kind, or a few that are alike, has a file beside this one: its layout, what writes it and what reads it. A record larger
 * than a quarter of its ring travels as fragments and is put together again by the reader.
 */
export const recordKind = {
  /** A slice of a larger record: total length, offset, bytes. */
  fragment: 1,
  /** From now on the lane's number `slot` is this subject. */
  defineTopic: 2,
  /** The number is free again. */
  forgetTopic: 3,
  defineQueue: 4,
  /** Consecutive messages of one topic. */
  run: 5,
  /** Consecutive messages of one topic, each for one member of a queue group. */
  queueRun: 6,
  /** Control lanes: a gateway's plain interest in a subject, its members of a queue group, its fullness. */
  plainInterest: 7,
  queueInterest: 8,
  topicFull: 9,
  /** Deliver lanes: what follows is no part of an image any more; the image is whole. */
  imageBegin: 10,
  imageEnd: 12,
  /** Deliver lanes: a message for an address, or for one subscription: a message of an image is. */
  addressed: 11,
  /** Control lanes: a gateway asks for an image, and wants it no more. */
  imageRequest: 13,
  imageCancel: 14,
  /** Control lanes, to the publisher of a synchronous message: who gets it, that it is in order, and who has taken it. */
  syncExpected: 15,
  syncSequenced: 16,
  syncTaken: 17,
  /** Control lanes: a gateway can take so many more messages of an image. Deliver lanes: it has been sent them. */
  imageMore: 18,
  imagePause: 19,
  /** Deliver lanes: so many messages that a subscription subject takes found no room. */
  loss: 20,
  /** Publish lanes: nothing; whoever wrote it learns by its being taken that what stood before it on all lanes was, too. */
  fence: 21,
  /** Control lanes: whether somebody lags who takes a subscription subject; a topic's publishers wait no longer for who blocks it. */
  lagging: 22,
  holdSpent: 23,
  /** Control lanes: nobody took a message for an address. */
  undelivered: 24,
  /** Control lanes: a step of giving a pattern to another owner, and that it is done there. */
  handover: 25,
  handoverDone: 26,
  /** Deliver lanes to users' threads: what was in order before such a change lies before this. */
  handoverMark: 27,
  /** Control lanes: a shard answers requests at an endpoint, or does not any more. */
  service: 28,
  /** Control lanes: a group is waited for no longer on the shard that says so, or is again. */
  groupSpent: 29,
  /** Deliver lanes: consecutive messages of different topics. */
  mixedRun: 30,
  /** Control lanes: whoever takes a subscription subject at a gateway awaits answers there. */
  inbox: 31,
  /** Control lanes, to the publisher of a message that waits for it: a stream has not stored it. */
  syncRefused: 32,
  /** Control lanes: a topic that very many take is about to be published to, and is planned there. */
  planAsked: 33,
  planMade: 34,
  /** Control lanes, to the publisher of a message that is traced: what became of it. */
  syncTold: 35,
} as const;

export const kindMask = 0xff;
const accountShift = 16;

/** A kind, with the account whose subject its record names. */
export function kindOf(kind: number, account: number): number {
  return kind | (account << accountShift);
}

/** The account of the record found last. */
export function accountOf({ words, index }: LaneReader): number {
  return words[(index >> 2) + 1] >>> accountShift;
}
