import { latin1Bytes } from '../base/bytes.js';
import { type Place, placeOf } from '../base/span.js';
import { auditSubject } from '../protocol/apiAudit.js';
import type { Router } from './router.js';
import type { Topic } from './topic.js';

/** Whether anybody is told of requests to the API: only then it matters who asks. */
export class ApiAudience {
  readonly #router: Router;
  readonly #place: Place = placeOf(latin1Bytes(auditSubject));
  #topic: Topic | null = null;

  constructor(router: Router) {
    this.#router = router;
  }

  /** @param asked the topic of a request; that need not be fresh */
  listensTo({ endpoint }: Topic): boolean {
    return endpoint?.audited === true && this.#isThere;
  }

  get #isThere(): boolean {
    if (this.#topic?.live !== true)
      this.#topic = this.#router.topics.obtain(this.#place.span, this.#place.start, this.#place.end);
    this.#router.freshen(this.#topic);
    return this.#topic.wanted || this.#topic.ownerKeeps;
  }
}
