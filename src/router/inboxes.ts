import { mainAccount } from '../base/account.js';
import { latin1String } from '../base/bytes.js';
import { subjectBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { shownOf } from '../base/shown.js';
import { copySpan, Span } from '../base/span.js';
import { dollar, dot, greater, star } from '../protocol/ascii.js';
import { subjectsOverlap } from '../protocol/subject.js';
import type { Interest } from './interest.js';
import type { InterestEntry } from './interestEntry.js';
import type { Router } from './router.js';
import { noHome, type Topic } from './topic.js';
import type { TopicTable } from './topicTable.js';

/** In the place of an address's last token: no client can publish to such a subject. */
const anyToken = 0;
const anyTokenText = '\0';

/** What a topic knows that stands for all addresses of an inbox: for the subjects one token longer than what they have in common. */
export class Inbox {
  /** The subject of each address up to its last dot, and the pattern that takes them all. */
  readonly prefix: string;
  readonly pattern: string;
  /** Whether its messages may go without a topic each: all addresses have the same owner and are taken by the same subscriptions. */
  stands = false;
  /** Whether something else than a subscription names one of its subjects, in that version of the routes. */
  named = false;
  routesVersion = -1;

  constructor(text: string) {
    this.prefix = text.slice(0, -2);
    this.pattern = `${this.prefix}.*`;
  }

  /** Whether a pattern takes one of the addresses. */
  overlaps(pattern: string): boolean {
    // there may be many patterns
    const first = pattern.charCodeAt(0);
    if (first !== this.prefix.charCodeAt(0) && first !== star && first !== greater) return false;
    return subjectsOverlap(pattern, this.pattern);
  }
}

/** The inbox that a topic's subject stands for; null for all that can be published to. */
export function inboxOf(subject: string): Inbox | null {
  return subject.endsWith(`.${anyTokenText}`) ? new Inbox(subject) : null;
}

/**
 * Addresses, which are not topics: subjects that somebody has named as a reply, one token longer than what a subscription of its own spells
 * out. Most are used once. So one topic stands for all addresses of an inbox, whichever the client's prefix is.
 */
export class Inboxes {
  readonly #interest: Interest;
  readonly #topics: TopicTable;
  /** What all addresses of an inbox have in common, and its dot, and a token that stands for any. */
  readonly #sought = new Span(new Uint8Array(subjectBytesMax + 1));

  constructor(interest: Interest, topics: TopicTable) {
    this.#interest = interest;
    this.#topics = topics;
  }

  /**
   * The topic that might stand for the address `bytes[start, end)`; null where that is none. Its interest is to be known, as of any topic
   * (`Router.ready`), before it is asked whether it `serves`. Allocates nothing.
   */
  find(span: Span, start: number, end: number, account = mainAccount): Topic | null {
    const { bytes } = span;
    if (!this.#interest.anyInbox || bytes[start] === dollar) return null;
    let at = end - 1;
    while (at > start && bytes[at] !== dot) at--;
    if (at === start || end - start > subjectBytesMax) return null;
    const sought = this.#sought;
    const length = copySpan(sought, 0, span, start, at + 1);
    sought.bytes[length] = anyToken;
    return this.#topics.at(sought, 0, length + 1, account) ?? this.#make(sought, length + 1, account);
  }

  /**
   * Whether an inbox's topic, which is fresh, stands for the address `bytes[start, end)`: else its messages have to go as those of a topic of
   * its own. Allocates nothing, as long as nobody subscribes to literal subjects that begin like it.
   */
  serves(topic: Topic, span: Span, start: number, end: number): boolean {
    return topic.inbox?.stands === true && !this.#interest.hasLiteral(topic, span, start, end);
  }

  /** Whether an inbox's topic, which is fresh, stands for all of its addresses, whichever they are. */
  servesAll(topic: Topic): boolean {
    return topic.inbox?.stands === true && !this.#interest.anyLiteral(topic);
  }

  #make(sought: Span, lengthBytes: number, account: number): Topic | null {
    const prefix = latin1String(sought.bytes, 0, lengthBytes - 1);
    const { inboxes: some } = this.#interest.find(`${prefix}*`, account) ?? none;
    const { inboxes: more } = this.#interest.find(`${prefix}>`, account) ?? none;
    return some.length + more.length === 0 ? null : this.#topics.obtain(sought, 0, lengthBytes, account);
  }
}

const none: Pick<InterestEntry, 'inboxes'> = { inboxes: [] };

/**
 * The gateway that puts the messages of an address in order, by one of the entries that take it: the first where several await answers there; `noHome` for a
 * topic. Only what a subscription spells out but for the last token counts: who takes all orders and names one of them as a reply has made no address
 * of the others.
 *
 * @param prefixLength of the address without its last token
 */
export function homeAmong({ inboxes, wildcard, subject }: InterestEntry, prefixLength: number): number {
  let home = noHome;
  if (wildcard && subject.length !== prefixLength + 1) return home;
  for (const gateway of inboxes) if (home === noHome || gateway < home) home = gateway;
  return home;
}

/** The entry by which somebody awaits answers at a subject, if `isTheirs` says that it is one of their own; null when there is none. */
export function inboxEntry(
  interest: Interest,
  reply: string,
  account: number,
  isTheirs: (entry: InterestEntry) => boolean,
): InterestEntry | null {
  const prefix = reply.slice(0, reply.lastIndexOf('.') + 1);
  const patterns = prefix === '' ? [reply] : [`${prefix}*`, `${prefix}>`, reply];
  for (const pattern of patterns) {
    const entry = interest.find(pattern, account);
    if (entry !== null && isTheirs(entry)) return entry;
  }
  return null;
}

/**
 * The topic that an address is by itself, for its delivery: the message is one of it from now on. It is planned at once, since what has been
 * put in order cannot wait; whoever takes the inbox takes it, and nobody else, so that planning costs a few times what the delivery does.
 */
export function shownTopic(router: Router, inbox: Topic, message: MessageView): Topic {
  const { span, subjectBytes } = shownOf(message);
  const topic = router.topics.obtain(span, 0, subjectBytes, inbox.account);
  router.freshen(topic);
  message.shown = null;
  return topic;
}
