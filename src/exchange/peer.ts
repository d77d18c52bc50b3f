import { ackConsumerSequence } from '../base/ackNumbers.js';
import type { MessageView } from '../base/messageView.js';
import { shownOf } from '../base/shown.js';
import type { Work } from '../base/work.js';
import type { Bell } from '../ring/bell.js';
import { ControlReader, ControlWriter } from './controlLane.js';
import { LaneOverflow } from './laneOverflow.js';
import type { Backlog } from './laneWriter.js';
import type { PeerMemory } from './memory.js';
import { MessageReader } from './messageReader.js';
import { MessageWriter } from './messageWriter.js';
import type { AwayRole, ExchangeTopic, GatewayRole, RouterRole, ShardRole, SyncRole } from './roles.js';

/** Who takes what comes by lanes on this thread. */
export interface Roles<T extends ExchangeTopic> {
  router: RouterRole<T>;
  /** Null at an endpoint without a shard. */
  shard: ShardRole<T> | null;
  gateway: GatewayRole<T>;
  /** Null at an endpoint that does not publish synchronously. */
  sync: SyncRole | null;
  /** Null where every thread takes what comes. */
  away: AwayRole<T> | null;
}

/** How many lanes of each kind have something in their outbox. */
export interface Backlogs {
  control: Backlog;
  publish: Backlog;
  deliver: Backlog;
  /** Deliver lanes with an overflow: nothing waits for them but the publishers of single topics. */
  away: Backlog;
}

/** The lanes to and from one other endpoint. Publish lanes lead to shards only, deliver lanes come from shards only. */
export class Peer<T extends ExchangeTopic> {
  readonly endpoint: number;
  readonly controlOut: ControlWriter;
  readonly publishOut: MessageWriter | null;
  readonly deliverOut: MessageWriter | null;
  /** Of the deliver lane to a thread that is not the broker's own. */
  readonly overflow: LaneOverflow<T> | null;
  readonly controlIn: ControlReader<T>;
  readonly publishIn: MessageReader<T> | null;
  readonly deliverIn: MessageReader<T> | null;
  /** Whether the thread is not the broker's own. */
  readonly user: boolean;

  /** @param forward hands on what another shard is to put in order; false when none is */
  constructor(
    bell: Bell,
    { endpoint, out, into }: PeerMemory,
    user: boolean,
    roles: Roles<T>,
    backlogs: Backlogs,
    work: Work,
    forward: (topic: T, publisher: number, message: MessageView) => boolean,
  ) {
    this.endpoint = endpoint;
    this.user = user;
    const { router, shard, gateway, sync } = roles;
    const away = user ? roles.away : null;
    this.controlOut = new ControlWriter(out.control, bell, backlogs.control);
    this.publishOut = out.publish && new MessageWriter(out.publish, bell, backlogs.publish);
    this.deliverOut =
      out.deliver && new MessageWriter(out.deliver, bell, away === null ? backlogs.deliver : backlogs.away);
    this.overflow = away && this.deliverOut && new LaneOverflow<T>(this.deliverOut, endpoint, away);
    this.controlIn = new ControlReader(into.control, bell, endpoint, router, shard, sync);
    // the broker's own threads have heard of another owner before they publish to it
    const sequence = user
      ? (topic: T, message: MessageView) => {
          if (!forward(topic, endpoint, message)) shard!.onPublish(topic, message);
        }
      : (topic: T, message: MessageView) => shard!.onPublish(topic, message);
    this.publishIn =
      into.publish &&
      new MessageReader(
        into.publish,
        bell,
        router,
        {
          onMessages: sequence,
          onAddressed: (inbox, _queue, _sender, message) => {
            if (shard!.onAnswer(inbox, message)) return true;
            const topic = shownTopic(router, inbox.account, message);
            if (topic !== null) sequence(topic, message);
            return topic !== null;
          },
          onQueueMessage: (topic: T, queue: string, message: MessageView, index: number) =>
            shard!.onRequeue(topic, queue, message, index, endpoint),
          // what users' threads publish may have to be handed on
          mixed: user ? null : (gateway.publishedLane?.() ?? null),
        },
        work,
      );
    this.deliverIn =
      into.deliver &&
      new MessageReader(
        into.deliver,
        bell,
        router,
        {
          onMessages: (topic: T, message: MessageView) => gateway.onDeliver(topic, message),
          onQueueMessage: (topic: T, queue: string, message: MessageView, index: number) =>
            gateway.onDeliverQueue(topic, queue, message, index),
          images: {
            onBegin: (token) => gateway.images.onImageBegin(endpoint, token),
            onMessage: (token, message) => gateway.images.onImage(token, message),
            onPause: (token) => gateway.images.onImagePause(token),
            onEnd: (token) => gateway.images.onImageEnd(endpoint, token),
          },
          onAddressed: (address, queue, sender, message) => {
            if (gateway.onAddressed(address, queue, message) === 'nobody' && sender !== 0)
              this.controlOut.undelivered(sender, sequenceOf(message));
            return true;
          },
          onShownRun: (address, run) => gateway.onShownRun?.(address, run) ?? false,
          mixed: gateway.mixedLane?.() ?? null,
          onLoss: (subject, count) => gateway.onLoss?.(subject, count),
        },
        work,
      );
  }

  /** Moves what waits in outboxes into the rings, as far as there is room. */
  pump(): void {
    this.controlOut.lane.pump();
    this.publishOut?.lane.pump();
    this.deliverOut?.lane.pump();
  }

  /** Throws away what waits for an endpoint that is gone. */
  abandon(): void {
    // first, since it has publishers told to go on: that is written to this endpoint's control lane, too
    this.overflow?.abandon();
    this.controlOut.lane.abandon();
    this.publishOut?.lane.abandon();
    this.deliverOut?.lane.abandon();
  }
}

/** The topic that is shown, fresh: the message is one of it from now on. Null when it is still to be planned. */
function shownTopic<T extends ExchangeTopic>(router: RouterRole<T>, account: number, message: MessageView): T | null {
  const { span, subjectBytes } = shownOf(message);
  const topic = router.topicOf(span, 0, subjectBytes, account);
  if (!router.freshen(topic)) return null;
  message.shown = null;
  return topic;
}

/** What its sender calls a message for an address. */
function sequenceOf(message: MessageView): number {
  return shownOf(message).numbers[ackConsumerSequence];
}
