import { mainAccount } from '../base/account.js';
import { latin1Bytes } from '../base/bytes.js';
import { loneSubjectBytesMax, loneTopicsMin } from '../base/limits.js';
import { nowhere, type Place, placeOf, type Span, spanEqualAt } from '../base/span.js';
import { classifyPublished, hasStarToken } from '../protocol/subject.js';
import type { Interest } from './interest.js';
import type { Routes } from './routes.js';
import type { SubjectRules } from './subjectRules.js';
import type { Topic } from './topic.js';
import type { TopicTable } from './topicTable.js';

/** What is known of subjects on a thread. */
export interface KnownSubjects {
  readonly interest: Interest;
  readonly routes: Routes;
  readonly topics: TopicTable;
}

/**
 * Subjects that concern nobody but the stream that takes them: no subscription, rule or service may be meant by what begins as they do. A publisher may
 * have millions of them, each used once: where there are many topics already, these get none. See docs/decisions/0073.
 */
export class LoneSubjects {
  readonly #known: KnownSubjects;
  readonly #rules: SubjectRules;
  /** Whether all that begins so is lone; it holds in these versions. */
  #prefix: Place = nowhere;
  #lone = false;
  #interestVersion = -1;
  #routesVersion = -1;

  constructor(known: KnownSubjects, rules: SubjectRules) {
    this.#known = known;
    this.#rules = rules;
  }

  /** Whether subjects that `has` says yes to get no topics: the owner's stream takes them as it takes this topic, which is captured. */
  beside(topic: Topic): boolean {
    const { interest, routes, topics } = this.#known;
    if (topics.size < loneTopicsMin || this.#rules.any || topic.account !== mainAccount) return false;
    const isKnown = interest.version === this.#interestVersion && routes.version === this.#routesVersion;
    if (!isKnown || !this.#begins(topic.span, topic.start, topic.end)) this.#look(topic);
    return this.#lone;
  }

  /** Whether a subject is one of those beside the topic that was asked for last. */
  has(span: Span, start: number, end: number): boolean {
    if (end - start > loneSubjectBytesMax || !this.#begins(span, start, end)) return false;
    return classifyPublished(span.bytes, start, end) === 'literal';
  }

  #begins(span: Span, start: number, end: number): boolean {
    const prefix = this.#prefix;
    return end - start > prefix.end - prefix.start && spanEqualAt(span, start, prefix);
  }

  #look({ text }: Topic): void {
    const { interest, routes } = this.#known;
    this.#interestVersion = interest.version;
    this.#routesVersion = routes.version;
    const pattern = routes.find(text)?.pattern ?? '';
    const first = text.slice(0, text.indexOf('.'));
    this.#lone = pattern.endsWith('.>') && !hasStarToken(pattern) && first[0] !== '$' && !interest.mayTake(first);
    this.#prefix = this.#lone ? placeOf(latin1Bytes(pattern.slice(0, -1))) : nowhere;
  }
}
