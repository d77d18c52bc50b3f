import { mainAccount } from '../base/account.js';
import { subjectBytesMax } from '../base/limits.js';
import { copySpan, Span } from '../base/span.js';
import { dollar } from '../protocol/ascii.js';
import { classifyPublished } from '../protocol/subject.js';
import type { Interest } from './interest.js';
import type { Services } from './services.js';
import type { Topic } from './topic.js';
import type { TopicTable } from './topicTable.js';

/** In the place of all that subjects do not have in common: no client can publish to such a subject. */
const anyRest = 0;
const anyRestText = '\0';

/** What the subjects have in common for which a topic of that text stands, with the dot behind it; '' for any other. */
export function sharedPrefixOf(text: string): string {
  return text.startsWith('$') && text.endsWith(`.${anyRestText}`) ? text.slice(0, -1) : '';
}

/**
 * Requests at an endpoint whose pattern ends in `>`: the tokens before that say whom they concern, those behind it are different in each. So
 * one topic stands for all subjects that have the first ones in common, as long as nobody but the broker takes any of them.
 */
export class SharedTopics {
  readonly #interest: Interest;
  readonly #services: Services;
  readonly #topics: TopicTable;
  /** What subjects have in common, and a token that stands for the rest. */
  readonly #sought = new Span(new Uint8Array(subjectBytesMax + 1));

  constructor(interest: Interest, services: Services, topics: TopicTable) {
    this.#interest = interest;
    this.#services = services;
    this.#topics = topics;
  }

  /**
   * The topic that might stand for the subject `bytes[start, end)`; null where that is a topic of its own. It is to be fresh (`Router.ready`)
   * before it is asked whether it `serves`. Allocates nothing.
   */
  find(span: Span, start: number, end: number, account = mainAccount): Topic | null {
    if (account !== mainAccount || span.bytes[start] !== dollar || end - start > subjectBytesMax) return null;
    const prefixEnd = this.#services.prefixEnd(span, start, end);
    if (prefixEnd < 0 || classifyPublished(span.bytes, prefixEnd, end) !== 'literal') return null;
    const sought = this.#sought;
    const length = copySpan(sought, 0, span, start, prefixEnd);
    sought.bytes[length] = anyRest;
    return this.#topics.obtain(sought, 0, length + 1, account);
  }

  /** Whether a topic, which is fresh, stands for the subject `bytes[start, end)`. Allocates nothing as long as nobody subscribes to literal subjects that begin like it. */
  serves(topic: Topic, span: Span, start: number, end: number): boolean {
    return topic.served && !this.#interest.hasLiteral(topic, span, start, end);
  }
}
