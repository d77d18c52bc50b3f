import { open, write } from 'node:fs';
import { devNull } from 'node:os';
import { latin1Bytes } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import type { Role } from '../../src/base/role.js';
import { placeOf, Span } from '../../src/base/span.js';
import type { ShardSite } from '../../src/broker/shardThread.js';
import { type Endpoint, inDomain, noName, outOfDomain } from '../../src/router/services.js';
import type { Topic } from '../../src/router/topic.js';
import type { Service } from '../../src/shard/services.js';
import { type Answer, domain } from './answers.js';

/** What is stored under a name is answered by the name's shard, once a write has returned. */
const storing: Endpoint = { pattern: '$TEST.REQ.STORE.*', nameToken: 3 };
const info: Endpoint = { pattern: '$TEST.REQ.INFO', nameToken: noName };
/** Answers once, and is gone. */
const once: Endpoint = { pattern: '$TEST.REQ.ONCE.*', nameToken: 3 };

interface Owed {
  readonly reply: Uint8Array;
  readonly answer: Answer;
}

/** The services of one shard: what they owe is said by the shard's voice, all that one write made durable in one turn. */
export class TestServices implements Role {
  readonly #site: ShardSite;
  #answered = 0;
  /** What waits for the next write, for the one under way, and for being said. */
  #waiting: Owed[] = [];
  #writing: Owed[] = [];
  readonly #owed: Owed[] = [];
  readonly #message = new MessageView();
  #file = -1;

  constructor(site: ShardSite) {
    this.#site = site;
    const store: Service = { onRequests: (topic, requests) => this.#waiting.push(...this.#owe(topic, requests)) };
    const answer: Service = { onRequests: (topic, requests) => this.#owed.push(...this.#owe(topic, requests)) };
    const { services } = site.shard;
    for (const endpoint of [storing, inDomain(storing, domain)]) services.open(endpoint, store);
    if (site.self === 0) for (const endpoint of [info, inDomain(info, domain)]) services.open(endpoint, answer);
    services.open(once, {
      onRequests: (topic, requests) => {
        services.close(once);
        this.#owed.push(...this.#owe(topic, requests));
      },
    });
    open(devNull, 'w', (error, file) => {
      if (error !== null) throw error;
      this.#file = file;
      site.requestTurn();
    });
  }

  doWork(): boolean {
    this.#commit();
    while (this.#owed.length > 0 && this.#say(this.#owed[0] as Owed)) this.#owed.shift();
    return this.#owed.length > 0;
  }

  /** Writes what has collected, unless a write is under way. */
  #commit(): void {
    if (this.#file < 0 || this.#writing.length > 0 || this.#waiting.length === 0) return;
    this.#writing = this.#waiting;
    this.#waiting = [];
    write(this.#file, JSON.stringify(this.#writing.map(({ answer }) => answer)), (error) => {
      if (error !== null) throw error;
      this.#owed.push(...this.#writing);
      this.#writing = [];
      this.#site.requestTurn();
    });
  }

  #owe(topic: Topic, requests: MessageView): Owed[] {
    const { bytes, count, withReplies, replyStarts, replyEnds, ends } = requests;
    const subject = topic.text.startsWith(`$TEST.${domain}.`) ? outOfDomain(topic.text) : topic.text;
    return Array.from({ length: withReplies ? count : 0 }, (_, i) => {
      const asked = Buffer.from(bytes.subarray(requests.payloadStart(i), ends[i])).toString();
      const answer = { shard: this.#site.self, number: ++this.#answered, subject, asked };
      return { reply: bytes.slice(replyStarts[i], replyEnds[i]), answer };
    });
  }

  /** Returns whether it is done with. */
  #say({ reply, answer }: Owed): boolean {
    const text = JSON.stringify(answer);
    this.#message.set(new Span(latin1Bytes(`${text}\r\n`)), 0, text.length);
    const { span, start, end } = placeOf(reply);
    const said = this.#site.voice.say(span, start, end, this.#message);
    return said === 'said' || said === 'nobody';
  }
}
