import { permissionsKeptMax } from '../base/limits.js';
import type { Topic } from './topic.js';

/**
 * Decides what somebody may do; asked nowhere else. Answers hold as long as whoever asks has the same `Rights`. Subjects and groups are as
 * the broker's tables have them.
 */
export interface Permissions {
  /** @param subject as it was published, replies to requests included */
  mayPublish(subject: string): boolean;
  /** @param queue the group's name, or '' */
  maySubscribe(subject: string, queue: string): boolean;
  /** Whether messages of a subject come by whatever subscription takes it. */
  mayReceive(subject: string): boolean;
}

/** What everybody may do who logs in with the same: null where nothing is forbidden, and nobody is asked. */
export class Rights {
  readonly #permissions: Permissions;
  /** Answers for subjects that were published to lately. */
  readonly #mayPublish = new Map<string, boolean>();

  constructor(permissions: Permissions) {
    this.#permissions = permissions;
  }

  /** Asked for every publish whose topic is not that of the one before. */
  mayPublish({ text }: Topic): boolean {
    const known = this.#mayPublish.get(text);
    if (known !== undefined) return known;
    if (this.#mayPublish.size >= permissionsKeptMax) this.#mayPublish.clear();
    const may = this.#permissions.mayPublish(text);
    this.#mayPublish.set(text, may);
    return may;
  }

  /** Asked once a subscription. */
  maySubscribe(subject: string, queue: string): boolean {
    return this.#permissions.maySubscribe(subject, queue);
  }

  /** Asked once a plan and subscription. */
  mayReceive(subject: string): boolean {
    return this.#permissions.mayReceive(subject);
  }
}
