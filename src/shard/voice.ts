import { mainAccount } from '../base/account.js';
import { assert } from '../base/assert.js';
import { fullness } from '../base/fullness.js';
import { voiceUnits } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { Shown } from '../base/shown.js';
import type { Place, Span } from '../base/span.js';
import { copyShift } from '../base/work.js';
import type { ShardProxy } from '../exchange/proxies.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';

/**
 * What became of a message: it is in order, nobody wants it, or it has to be said again: when there is room for anything, or when those who
 * want it, and asked to be waited for, take more, or its pattern has got its other owner.
 */
export type Said = 'said' | 'nobody' | 'no-room' | 'held';

/** What a voice needs of the exchange. */
export interface VoiceLanes {
  /** While this is so nothing more is put in order here. */
  readonly congested: boolean;
  readonly shards: readonly ShardProxy<Topic>[];
}

/** Puts messages in order and delivers them: the shard. */
export interface Sequencer {
  deliver(topic: Topic, message: MessageView): void;
  /** The same for an address, which the message shows; returns false when it has to go as a topic's message. */
  onAnswer(inbox: Topic, message: MessageView): boolean;
  /** The same for an addressed run; false when each message has to go by itself. */
  onAnswers(inbox: Topic, run: MessageView): boolean;
  /** Delivers a run that is in order. */
  passOn(topic: Topic, message: MessageView): void;
}

/**
 * What a shard says of its own accord: acknowledgements when a write has returned, answers to requests. A message is put in order here,
 * whichever shard owns its subject, between what the shard puts in order for others, and goes to whoever wants it. Connections get all
 * that was said to them in a turn in one write, as they get everything.
 */
export class Voice {
  readonly #router: Router;
  readonly #lanes: VoiceLanes;
  readonly #sequencer: Sequencer;
  readonly #shown = new Shown();
  #turn = -1;
  /** Units of the turn at which the voice has had its share of it. */
  #limit = 0;

  constructor(router: Router, lanes: VoiceLanes, sequencer: Sequencer) {
    this.#router = router;
    this.#lanes = lanes;
    this.#sequencer = sequencer;
  }

  /**
   * Says a run of messages on the subject `span[start, end)`, as a whole or not at all. What strict mode does not know is said to nobody.
   * Never to be called while a message is being put in order or delivered.
   *
   * @returns 'no-room' while a deliver lane has none, or the voice has had its share of the turn: who has more to say then asks for
   * another one. Connections that do not read are not waited for, only ended, so that nobody else's acknowledgements wait for them
   */
  say(span: Span, start: number, end: number, message: MessageView, account = mainAccount): Said {
    assert(
      message.exceptConnection === 0 && message.syncToken === 0,
      'what a shard says is no publish of a connection',
    );
    const { work, topics } = this.#router;
    if (this.#lanes.congested || this.#isSpent()) return 'no-room';
    if (this.#answer(span, start, end, message, account)) return 'said';
    const topic = topics.obtain(span, start, end, account);
    this.#router.freshen(topic);
    // what the broker says is no request to itself
    if (!(topic.wanted || topic.ownerKeeps) || !topic.allowed) return 'nobody';
    if (topic.fullness > fullness.full || this.#router.holds.isParked(topic)) return 'held';
    work.units += unitsOf(message);
    if (topic.owner !== this.#router.self && topic.ownerKeeps) return this.#handOn(topic, message);
    this.#sequencer.deliver(topic, message);
    return 'said';
  }

  /** Whether anybody would get what is said on a subject: it need not be made otherwise. */
  isHeard({ span, start, end }: Place): boolean {
    const topic = this.#router.topics.obtain(span, start, end);
    this.#router.freshen(topic);
    return (topic.wanted || topic.ownerKeeps) && topic.allowed;
  }

  /**
   * Says an addressed run, as a whole or not at all, as `say` does.
   *
   * @returns 'apart' when its messages have to be said one by one: then nothing was said
   */
  sayAll(run: MessageView): Said | 'apart' {
    const { inboxes, holds, work } = this.#router;
    if (this.#lanes.congested || this.#isSpent()) return 'no-room';
    const inbox = inboxes.find(run.span, run.replyStarts[0], run.replyEnds[0]);
    if (inbox === null) return 'apart';
    this.#router.freshen(inbox);
    if (inbox.fullness > fullness.full || holds.isParked(inbox) || !inboxes.servesAll(inbox)) return 'apart';
    if (!this.#sequencer.onAnswers(inbox, run)) return 'apart';
    work.units += unitsOf(run);
    return 'said';
  }

  /** Says a message at an address without naming that as a topic; returns false when it has to be said as a topic's message. */
  #answer(span: Span, start: number, end: number, message: MessageView, account: number): boolean {
    if (message.count !== 1 || message.withReplies) return false;
    const { inboxes, holds, work } = this.#router;
    const inbox = inboxes.find(span, start, end, account);
    if (inbox === null) return false;
    this.#router.freshen(inbox);
    // whom it may have to wait for is found out by the address itself
    if (inbox.fullness > fullness.full || holds.isParked(inbox)) return false;
    if (!inboxes.serves(inbox, span, start, end)) return false;
    this.#shown.setBytes(span, start, end - start, 0);
    message.shown = this.#shown;
    const isSaid = this.#sequencer.onAnswer(inbox, message);
    message.shown = null;
    if (isSaid) work.units += unitsOf(message);
    return isSaid;
  }

  /**
   * Delivers a run on the subject `span[start, end)` that was put in order here before. Never to be called while a message is being put in
   * order or delivered.
   *
   * @returns false while there is no room for it, or the voice has had its share of the turn
   */
  pass(span: Span, start: number, end: number, message: MessageView): boolean {
    if (this.#lanes.congested || this.#isSpent()) return false;
    const { work, topics } = this.#router;
    const topic = topics.obtain(span, start, end);
    this.#router.freshen(topic);
    work.units += unitsOf(message);
    this.#sequencer.passOn(topic, message);
    return true;
  }

  #handOn(topic: Topic, message: MessageView): Said {
    assert(message.count === 1, 'what is passed on is said by itself');
    return this.#lanes.shards[topic.owner].publish(topic, message) === 1 ? 'said' : 'no-room';
  }

  #isSpent(): boolean {
    const { work } = this.#router;
    if (work.turn !== this.#turn) {
      this.#turn = work.turn;
      this.#limit = work.units + voiceUnits;
    }
    return work.units >= this.#limit;
  }
}

function unitsOf({ count, lengthBytes }: MessageView): number {
  return count + (lengthBytes >> copyShift);
}
