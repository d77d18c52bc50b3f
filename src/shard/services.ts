import { assert } from '../base/assert.js';
import { fullness } from '../base/fullness.js';
import { MessageView } from '../base/messageView.js';
import { bodyShift } from '../base/work.js';
import { noRespondersMessage } from '../protocol/encoder.js';
import type { Router } from '../router/router.js';
import type { Endpoint } from '../router/services.js';
import type { Topic } from '../router/topic.js';
import { requestSubject } from './requestParts.js';
import type { Sequencer } from './voice.js';

/** Answers requests at an endpoint, now or later, by the shard's voice. */
export interface Service {
  /**
   * A run of requests, in order with all else that the shard takes; what each says is told by `requestParts`. The view holds until the call
   * returns.
   */
  onRequests(topic: Topic, requests: MessageView): void;
}

/** The services of one shard. */
export class ShardServices {
  readonly #router: Router;
  readonly #sequencer: Sequencer;
  /** By the endpoint's pattern. */
  readonly #services = new Map<string, Service>();
  readonly #status = new MessageView();

  constructor(router: Router, sequencer: Sequencer) {
    this.#router = router;
    this.#sequencer = sequencer;
  }

  /** Begins to answer at an endpoint. Whoever is told of it on any thread finds it. */
  open(endpoint: Endpoint, service: Service): void {
    assert(!this.#services.has(endpoint.pattern), 'an endpoint has one service on a shard');
    this.#services.set(endpoint.pattern, service);
    this.#router.announceService(endpoint, true);
  }

  /** Ends that: who asks from now on is told that nobody answers. */
  close(endpoint: Endpoint): void {
    assert(this.#services.delete(endpoint.pattern), 'only what is open is closed');
    this.#router.announceService(endpoint, false);
  }

  /** A request costs more than most at its endpoint, in units of work. */
  charge(units: number): void {
    this.#router.work.units += units;
  }

  /** @param topic fresh, and of an endpoint */
  onRequests(topic: Topic, requests: MessageView): void {
    const { endpoint } = topic;
    const service = endpoint === null ? undefined : this.#services.get(endpoint.pattern);
    this.#router.work.units += (endpoint?.units ?? 0) * requests.count + (requests.lengthBytes >> bodyShift);
    if (service !== undefined) service.onRequests(topic, requests);
    // others who take the subject may answer
    else if (!topic.wanted) this.#refuse(topic, requests);
  }

  /** The service has gone since the requests were read: says so to those that can hear it. */
  #refuse(topic: Topic, requests: MessageView): void {
    const { span, count, withReplies, replyStarts, replyEnds } = requests;
    if (!withReplies) return;
    for (let i = 0; i < count; i++) {
      const reply = this.#router.topics.obtain(span, replyStarts[i], replyEnds[i], topic.account);
      this.#tellGone(requestSubject(topic, requests, i), reply);
    }
  }

  #tellGone(subject: string, reply: Topic): void {
    this.#router.freshen(reply);
    if (!reply.wanted || reply.fullness > fullness.full) return;
    const status = noRespondersMessage(subject);
    this.#status.set(status, 0, status.bytes.length - 2);
    this.#status.setHeaders(this.#status.ends[0]);
    this.#sequencer.deliver(reply, this.#status);
  }
}
