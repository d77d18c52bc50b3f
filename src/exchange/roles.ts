import type { Demand } from '../base/demand.js';
import type { Fullness } from '../base/fullness.js';
import type { MessageView } from '../base/messageView.js';
import type { PublishedSubject } from '../base/publishedSubject.js';
import type { ShownRun } from '../base/shownRun.js';
import type { Place, Span } from '../base/span.js';

/** A topic as lanes see it: numbered densely in its thread, and with a serial that tells two users of a number apart. */
export interface ExchangeTopic extends Place {
  /** Whose subject it is. */
  readonly account: number;
  readonly subject: Uint8Array;
  readonly slot: number;
  readonly serial: number;
  /** False once its thread has forgotten it; it is then looked up again by its subject. */
  readonly live: boolean;
  /** What a short message costs the dearest thread if it is for very many, in units of `Work`; 0 or missing where they are few. */
  readonly crowdUnits?: number;
  /** What a message of so many bytes, with headers or without, costs on the dearest thread; nothing worth counting when missing. */
  unitsOf?(messageBytes: number, withHeaders: boolean): number;
}

/** A queue group's name, numbered as topics are. */
export interface ExchangeQueue {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly slot: number;
  readonly serial: number;
}

/** What a shard takes from gateways. Called by a `ShardProxy` of the same thread, or for a record from another. */
export interface ShardRole<T extends ExchangeTopic> {
  /** A run of messages to be put in order. */
  onPublish(topic: T, message: MessageView): void;
  /** So many messages were put in order, and delivered, by the gateway beside it; missing where nobody counts. */
  onSequenced?(messages: number): void;
  /** Whether messages of two topics, both fresh, may come together; missing where none may. */
  takesTogether?(one: T, other: T): boolean;
  /** Messages that may come together with a topic's, each with its subject, which need be no topic's, to be put in order. */
  onPublishTogether?(topic: T, subjects: readonly PublishedSubject[], messages: MessageView): void;
  /**
   * A message for an address, which it shows, to be put in order.
   *
   * @param inbox stands for all addresses of an inbox; fresh
   * @returns false, and nothing has happened, when it has to be published to the address as to a topic of its own
   */
  onAnswer(inbox: T, message: MessageView): boolean;
  /** A message that the chosen gateway has no member for: the last one has left, or published it and wants no echo. */
  onRequeue(topic: T, queue: string, message: MessageView, index: number, gateway: number): void;
  /** A gateway asks for the last values of what a subscription takes; the token names the request in all that answers it. */
  onImageRequest(gateway: number, token: number, subject: string): void;
  onImageCancel(gateway: number, token: number): void;
  /** So much more of an image may be sent, the last message in any case whole. Without that nothing is sent. */
  onImageMore(gateway: number, token: number, messages: number, bytes: number): void;
  /** Nobody there took a message for an address any more: the sender's that its reply calls by this sequence. */
  onUndelivered(gateway: number, sender: number, consumerSequence: number): void;
}

/** Whether somebody at a gateway has taken a message for an address. */
export type Taken = 'taken' | 'nobody';

/** What a gateway takes of the images that it asked shards for. A token that it has taken back may still come for a while. */
export interface ImageRole {
  /** What came from the shard before this is older than the image, what comes behind it is not in it. */
  onImageBegin(shard: number, token: number): void;
  /** The last message of one subject, which it shows. */
  onImage(token: number, message: MessageView): void;
  /** All that may be sent for now has been. */
  onImagePause(token: number): void;
  onImageEnd(shard: number, token: number): void;
}

/** Where the kernel lays out messages of a topic that go to other threads, and what stands for the lanes that they go into. */
export interface BlockRoute {
  /** The block's address in the kernel's memory. */
  readonly address: number;
  readonly target: number;
}

/**
 * A gateway's kernel, for the mixed runs of one lane: it encodes messages by itself as long as they are of topics that it knows by the
 * lane's numbers, and that only plain subscriptions take.
 */
export interface MixedLane<T extends ExchangeTopic> {
  /** How many messages `encode` took last. */
  readonly encoded: number;
  /** Looks at `count` messages, `span[start, end)`; false when they are to be taken one by one. */
  load(span: Span, start: number, end: number, count: number): boolean;
  /** Takes messages of those that were loaded, the first at `position`, `count` at most; returns where the next begins. */
  encode(position: number, count: number): number;
  /** Has it know a topic, fresh, by its number, and make room for a message; false when that is not to be. */
  prepare(topic: T, slot: number, payloadBytes: number): boolean;
  /** The number means another topic from now on, or none. */
  forget(slot: number): void;
}

/** What a gateway takes from shards. */
export interface GatewayRole<T extends ExchangeTopic> {
  /**
   * An addressed run from the shard beside it.
   *
   * @param inbox stands for the addresses; fresh
   * @returns false, and nothing has happened, when each message is to come by itself
   */
  onAnswers(inbox: T, run: MessageView): boolean;
  onDeliver(topic: T, message: MessageView): void;
  /** Message `index` of a run, for one member of a queue group. */
  onDeliverQueue(topic: T, queue: string, message: MessageView, index: number): void;
  /**
   * A message that shows another subject and reply than the address, which is fresh.
   *
   * @param queue null for all plain subscriptions that take the address, else the group for a member of which it is
   */
  onAddressed(address: T, queue: string | null, message: MessageView): Taken;
  /**
   * A run of such messages for all plain subscriptions that take the address; missing where none is taken as a whole.
   *
   * @returns false, and nothing has happened, when each is to come by itself
   */
  onShownRun?(address: T, run: ShownRun): boolean;
  /** Whether `onShownRun` will most likely take messages of an address. */
  takesShownRuns?(address: T): boolean;
  readonly images: ImageRole;
  /** What takes the mixed runs of a deliver lane; null or missing where messages are taken one by one. */
  mixedLane?(): MixedLane<T> | null;
  /** The same of a publish lane: it puts them in order and passes them on. */
  publishedLane?(): MixedLane<T> | null;
  /** So many messages that a subscription subject takes found no room: this thread did not take them in time. */
  onLoss?(subject: string, count: number): void;
}

/** What is to become of messages for an endpoint whose thread does not take them. */
export interface AwayRole<T extends ExchangeTopic> {
  /** The endpoint's subscription subjects that take the topic, if all can do without some messages; else null. */
  lossySubjects(topic: T, endpoint: number): readonly string[] | null;
  /** What a later message may take the place of: its topic's messages, or those of its key alone. */
  nameOf(topic: T, message: MessageView, index: number): string;
  /** The topic's publishers have to wait for the endpoint. */
  hold(topic: T, endpoint: number): void;
  /** Nobody has to wait for it any more. */
  release(endpoint: number): void;
}

/** What whoever publishes with tokens takes from shards and gateways. */
export interface SyncRole {
  /** A gateway gets so many deliveries of the message more (or fewer: it gave one back). */
  onExpected(token: number, gateway: number, change: number): void;
  /** The message is in order, and whoever gets it was named before. */
  onSequenced(token: number): void;
  /** A gateway has taken one delivery. */
  onTaken(token: number, gateway: number): void;
  /** A stream has not stored the message; it is delivered all the same. @param answer as its acknowledgement, a byte a character */
  onRefused(token: number, answer: string): void;
  /** What became of a message that is traced on some thread. Missing where none is. @param events as JSON */
  onTold?(token: number, thread: number, events: string): void;
}

/** What a thread's router takes from the gateways of other threads. */
export interface RouterRole<T extends ExchangeTopic> {
  topicOf(span: Span, start: number, end: number, account: number): T;
  /** Brings what the topic knows of its interest up to date; false when that takes more than a turn: what is to be done with it waits. */
  freshen(topic: T): boolean;
  /** The shard that puts in order what an endpoint publishes to a topic, which is fresh; whoever reads it when missing. */
  ownerFor?(topic: T, publisher: number): number;
  /** Whoever takes the subject there, which interest was told of before, awaits answers. */
  onInbox(gateway: number, subject: string, account: number): void;
  /** @param crowd what a message costs there, about, in units of `Work`, where very many take it; 0 elsewhere */
  onPlainInterest(gateway: number, subject: string, wanted: Demand, crowd: number, account: number): void;
  /** @param room messages that the members have room for */
  onQueueInterest(
    gateway: number,
    subject: string,
    queue: string,
    members: number,
    room: number,
    account: number,
  ): void;
  onTopicFull(gateway: number, subject: string, state: Fullness): void;
  /** Somebody there who takes what a subscription subject takes is behind for a moment, or is not any more. */
  onLagging(gateway: number, subject: string, lags: boolean): void;
  /** Publishers of a topic there have waited as long as they may for whoever blocks it. */
  onHoldSpent(subject: string): void;
  /** Nobody waits any longer for a group on that shard, or somebody may again. */
  onGroupSpent(shard: number, queue: string, spent: boolean): void;
  /** A pattern is being given to another owner, or to none when it is -1. Missing where no owner changes. */
  onHandover?(step: HandoverStep, number: number, pattern: string, owner: number): void;
  /** A shard has done a step. Only at the thread that decides. */
  onHandoverDone?(shard: number, step: HandoverStep, number: number): void;
  /** A topic that very many take is about to be published to there: it is to be planned. Missing where nothing is planned over turns. */
  onPlanAsked?(endpoint: number, number: number, subject: string, account: number): void;
  /** A thread has done so that was asked. */
  onPlanMade?(number: number): void;
  /** A shard answers at an endpoint, or does not any more. */
  onService(shard: number, pattern: string, nameToken: number, open: boolean, account: number): void;
}

/** The steps by which a pattern gets another owner, in their order; the last one instead of those that have not been, when it does not. */
export const handoverStep = {
  /** Whoever publishes to it waits, and what was published to it is put in order. */
  park: 1,
  /** The owner is another now. */
  switch: 2,
  /** Publishers go on. */
  release: 3,
} as const;
export type HandoverStep = (typeof handoverStep)[keyof typeof handoverStep];
