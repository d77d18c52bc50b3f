import { systemAccount } from '../../base/account.js';
import { systemAnswersMax, systemRequestBytesMax } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { systemRequestPatterns } from '../../protocol/systemSubjects.js';
import { noName } from '../../router/services.js';
import type { Topic } from '../../router/topic.js';
import type { Service, ShardServices } from '../services.js';
import type { SystemVoice } from './systemVoice.js';

/** Puts an answer to a request together, elsewhere; resolves with null where there is none to be given. */
export type AskSystem = (subject: string, body: string) => Promise<Uint8Array | null>;

const refusalOf = (code: number, description: string): Uint8Array =>
  Buffer.from(JSON.stringify({ error: { code, description } }));
const tooLong = refusalOf(400, 'the request is too long');
const tooMany = refusalOf(503, 'too many requests are under way');

/**
 * Takes requests to the broker in its system account: a shard knows who asks, and who is to hear the answer, not what it says. So many may be under way;
 * who asks beyond that is told so.
 */
export class SystemService implements Service {
  readonly #voice: SystemVoice;
  readonly #ask: AskSystem;
  #waiting = 0;

  constructor(voice: SystemVoice, ask: AskSystem) {
    this.#voice = voice;
    this.#ask = ask;
  }

  /** @param id the server's */
  open(services: ShardServices, id: string): void {
    for (const pattern of systemRequestPatterns(id))
      services.open({ account: systemAccount, pattern, nameToken: noName }, this);
  }

  onRequests(topic: Topic, requests: MessageView): void {
    if (!requests.withReplies) return;
    for (let i = 0; i < requests.count; i++) {
      const { bytes, ends, replyStarts, replyEnds } = requests;
      const start = requests.payloadStart(i);
      const reply = bytes.slice(replyStarts[i], replyEnds[i]);
      if (ends[i] - start > systemRequestBytesMax) this.#voice.refuse(reply, tooLong);
      else if (this.#waiting >= systemAnswersMax) this.#voice.refuse(reply, tooMany);
      else void this.#serve(topic.text, Buffer.from(bytes.subarray(start, ends[i])).toString(), reply);
    }
  }

  async #serve(subject: string, body: string, reply: Uint8Array): Promise<void> {
    this.#waiting++;
    const text = await this.#ask(subject, body);
    this.#waiting--;
    if (text !== null) this.#voice.answer(reply, text);
  }
}
