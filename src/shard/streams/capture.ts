import { byteText, latin1Bytes, latin1String } from '../../base/bytes.js';
import type { MessageView } from '../../base/messageView.js';
import { type Place, Span } from '../../base/span.js';
import { isWildcardSubject } from '../../protocol/subject.js';
import { SubjectTree } from '../../router/subjectTree.js';
import type { Topic } from '../../router/topic.js';
import type { ApiError } from '../../stream/api/apiError.js';
import { writeJson } from '../../stream/api/json.js';
import { refusalOfReply } from '../../stream/publishChecks.js';
import type { Published, Stream } from '../../stream/stream.js';
import type { Clock } from '../../stream/times.js';
import type { Answers } from './answers.js';

/** A stream as messages come to it, and what its acknowledgements begin with. */
class Captor {
  readonly stream: Stream;
  readonly #prefix: Uint8Array;
  readonly #names: string;

  constructor(stream: Stream, domain: string) {
    this.stream = stream;
    this.#names = `"stream":${JSON.stringify(stream.name)}${domain === '' ? '' : `,"domain":${JSON.stringify(domain)}`}`;
    this.#prefix = latin1Bytes(byteText(`{${this.#names},"seq":`));
  }

  /** Writes an acknowledgement; returns how long it is. */
  write(target: Span, { sequence, duplicate, refusal }: Published): number {
    if (refusal !== null) return writeText(target, 0, this.#refused(refusal));
    target.bytes.set(this.#prefix);
    return writeText(target, this.#prefix.length, `${sequence}${duplicate ? ',"duplicate": true}' : '}'}`);
  }

  #refused(refusal: ApiError): string {
    return byteText(`{"error":${writeJson(refusal.toJson())},${this.#names},"seq":0}`);
  }
}

function writeText(target: Span, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) target.bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Longest acknowledgement, in bytes: names and texts are bounded. */
const ackBytesMax = 8 * 1024;

/** Stores what is put in order on a shard in the streams that take it, and acknowledges it. */
export class Capture {
  readonly #answers: Answers;
  readonly #clock: Clock;
  readonly #tree = new SubjectTree<Captor>();
  readonly #scratch = new Span(new Uint8Array(ackBytesMax));
  /** Where the reply of a message lies; filled anew for each. */
  readonly #reply: { span: Span; start: number; end: number } = { span: this.#scratch, start: 0, end: 0 };
  readonly #domain: string;
  /** The topic before, and what takes it. */
  #topic: Topic | null = null;
  #captor: Captor | null = null;

  constructor(answers: Answers, clock: Clock, domain: string) {
    this.#answers = answers;
    this.#clock = clock;
    this.#domain = domain;
  }

  /** A stream takes its subjects from now on. */
  add(stream: Stream): void {
    const captor = new Captor(stream, this.#domain);
    for (const subject of stream.config.subjects) {
      const pattern = byteText(subject);
      this.#tree.add(pattern, isWildcardSubject(pattern), captor);
    }
    this.#topic = null;
  }

  /** A stream takes these subjects no longer. */
  remove(subjects: readonly string[]): void {
    for (const subject of subjects) {
      const pattern = byteText(subject);
      this.#tree.remove(pattern, isWildcardSubject(pattern));
    }
    this.#topic = null;
  }

  /** A run of messages has been put in order. */
  onMessages(topic: Topic, message: MessageView): void {
    const captor = this.#captorOf(topic);
    if (captor === null || topic.kind !== 'literal') return;
    const nowUs = this.#clock.nowUs();
    const acks = message.withReplies && !captor.stream.config.no_ack;
    for (let i = 0; i < message.count; i++) {
      const published = this.#publish(captor.stream, topic, message, i, nowUs);
      if (acks) this.#acknowledge(captor, message, i, published);
    }
  }

  #publish(stream: Stream, topic: Topic, message: MessageView, index: number, nowUs: number): Published {
    if (message.withReplies) {
      const { bytes, replyStarts, replyEnds } = message;
      // a batch's reply is told by its end
      if (bytes[replyEnds[index] - 1] === letterI) {
        const refusal = refusalOfReply(latin1String(bytes, replyStarts[index], replyEnds[index]));
        if (refusal !== null) return { sequence: 0, duplicate: false, refusal };
      }
    }
    return stream.publish(topic as Place, topic.text, message, index, nowUs);
  }

  #acknowledge(captor: Captor, message: MessageView, index: number, published: Published): void {
    const reply = this.#reply;
    reply.span = message.span;
    reply.start = message.replyStarts[index];
    reply.end = message.replyEnds[index];
    const length = captor.write(this.#scratch, published);
    this.#answers.add(reply, this.#scratch, 0, length, 0, captor.stream.storage);
  }

  #captorOf(topic: Topic): Captor | null {
    if (topic === this.#topic) return this.#captor;
    const found: Captor[] = [];
    this.#tree.match(topic.text, found);
    this.#topic = topic;
    this.#captor = found[0] ?? null;
    return this.#captor;
  }
}

const letterI = 'I'.charCodeAt(0);
