/**
 * What travels on lanes. Every record begins with the ring's header (length, kind); a kind's flags stand above its
 * low byte. A record larger than a quarter of its ring travels as fragments and is put together again by the reader.
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
  /** Deliver lanes: a message for an address, or for one subscription: a message of an image is. See `records/addressed.ts`. */
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
} as const;

export const kindMask = 0xff;
export const flagReply = 0x100;
export const flagHeaders = 0x200;
export const flagRedelivered = 0x400;
/** It is for a group whose members bound what they have in hand, and is not lost with the last of them. */
export const flagWork = 0x800;

/** Words of a run's header after length and kind. */
export const runTopicWord = 2;
export const runCountWord = 3;
export const runExceptWord = 4;
export const runQueueWord = 5;
export const runHeaderBytes = 24;

/** Every message in a run is followed by CR LF, as `MessageView` promises. */
export const lineEndBytes = 2;

/** Words of a definition's header; the name's bytes follow. */
export const nameSlotWord = 2;
export const nameLengthWord = 3;
export const nameHeaderBytes = 16;

/** Words of the header of a mark of an image. */
export const imageTokenWord = 2;
export const imageHeaderBytes = 16;

/** Words of a loss record's header; the subject follows. */
export const lossCountWord = 2;
export const lossSubjectLengthWord = 3;
export const lossHeaderBytes = 16;

export const fenceBytes = 8;

export const fragmentTotalWord = 2;
export const fragmentOffsetWord = 3;
export const fragmentHeaderBytes = 16;

/** Words of a control record's header; subject and queue follow. */
export const controlValueWord = 2;
export const controlSubjectLengthWord = 3;
export const controlQueueLengthWord = 4;
/** Of `syncExpected`, in place of the lengths of subject and queue, which it has none of. */
export const controlEndpointWord = 5;
export const controlChangeWord = 4;
/** Of `queueInterest`: what its members have room for. */
export const controlRoomWord = 5;
/** Of `imageMore`, likewise. */
export const controlBytesWord = 4;
export const controlMessagesWord = 5;
/** Of `undelivered`, likewise: a whole number in two parts. */
export const controlLowWord = 4;
export const controlHighWord = 5;
export const controlHeaderBytes = 24;
