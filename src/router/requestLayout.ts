import { latin1Bytes } from '../base/bytes.js';
import { layMessage } from '../base/laidMessage.js';
import { MessageView } from '../base/messageView.js';
import { Span } from '../base/span.js';
import { space } from '../protocol/ascii.js';
import type { ApiAudience } from './apiAudience.js';
import type { Router } from './router.js';
import type { Topic } from './topic.js';

/** Requests to the broker that a thread makes for somebody: where one topic stands for the subject of a request, it is published there, with the rest of the subject. */
export class RequestLayout {
  /** The request that was laid out last. */
  readonly message = new MessageView();
  readonly #router: Router;
  readonly #audience: ApiAudience;

  constructor(router: Router, audience: ApiAudience) {
    this.#router = router;
    this.#audience = audience;
  }

  /**
   * Lays out a request whose subject nobody's rights are asked for.
   *
   * @param subject one character a byte
   * @returns the topic that stands for its subject, fresh; null where that has to be published to itself
   */
  share(subject: string, body: Uint8Array, reply: Uint8Array, account: number): Topic | null {
    const bytes = latin1Bytes(subject);
    const span = new Span(bytes);
    const { shared } = this.#router;
    const topic = shared.find(span, 0, bytes.length, account);
    if (topic === null) return null;
    this.#router.freshen(topic);
    if (!shared.serves(topic, span, 0, bytes.length) || this.#audience.listensTo(topic)) return null;
    this.#lay([bytes.subarray(sharedPrefixBytes(topic)), blank, body], reply);
    return topic;
  }

  /** Lays out a request to its own subject. */
  lay(body: Uint8Array, reply: Uint8Array): MessageView {
    this.#lay([body], reply);
    return this.message;
  }

  #lay(parts: readonly Uint8Array[], reply: Uint8Array): void {
    layMessage(this.message, [reply, ...parts], reply.length);
    this.message.setReply(0, reply.length);
  }
}

/** What the subjects have in common for which a topic stands, in bytes. */
export function sharedPrefixBytes({ start, end }: Topic): number {
  return end - start - 1;
}

const blank = Uint8Array.of(space);
