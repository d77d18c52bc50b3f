import { latin1Bytes, latin1String, readableText } from '../../base/bytes.js';
import type { MessageView } from '../../base/messageView.js';
import { readAck } from '../../protocol/ackMessage.js';
import { dot, zero } from '../../protocol/ascii.js';
import { statusBlock } from '../../protocol/statusBlock.js';
import type { Topic } from '../../router/topic.js';
import { PullRefusal, readPull } from '../../stream/consumer/pullRequest.js';
import { bodyStart, requestSubject } from '../requestParts.js';
import type { ShardServices } from '../services.js';
import type { ApiRequest } from '../streams/apiRequest.js';
import type { ApiService } from '../streams/apiService.js';
import type { ServedConsumer } from './servedConsumer.js';
import type { ShardConsumers } from './shardConsumers.js';

/** Token of an acknowledgement's subject with the stream, and those behind it. */
const ackStream = 2;
const ackConsumer = 3;
const ackSequence = 5;
const ackDelivery = 6;
/** The first of its numbers. */
const ackNumbers = 4;
const ackTokens = 9;

/** Answers requests for messages, and takes acknowledgements. */
export class ConsumerRequests {
  readonly #consumers: ShardConsumers;
  readonly #api: ApiService;
  /** Where the last acknowledgements came, and for whom that is. */
  #ackTopic: Topic | null = null;
  #ackConsumer: ServedConsumer | null = null;
  readonly #numbers = new Float64Array(ackTokens - ackNumbers);

  constructor(consumers: ShardConsumers, api: ApiService) {
    this.#consumers = consumers;
    this.#api = api;
  }

  open(services: Pick<ShardServices, 'open'>): void {
    const sayNobody = async (request: ApiRequest): Promise<void> => this.#api.sayNobody(request);
    this.#api.openRaw('CONSUMER.MSG.NEXT.*.*', 'owner', async (request) => this.#next(request), sayNobody);
    services.open(
      { pattern: '$JS.ACK.*.*.>', nameToken: ackStream },
      { onRequests: (topic, requests) => this.#onAcks(topic, requests) },
    );
    services.open({ pattern: '$JS.FC.*.*.*', nameToken: ackStream }, { onRequests: (topic) => this.#onFlow(topic) });
  }

  #next(request: ApiRequest): void {
    const served = this.#consumers.find(request.name, readableText(request.tokens.at(-1) as string));
    if (served === null) this.#api.sayNobody(request);
    else this.#pull(served, request.body, request.reply, request);
  }

  #pull(served: ServedConsumer, body: string, reply: Uint8Array, request: ApiRequest): void {
    if (reply.length === 0) return;
    try {
      if (served.pulls === null) throw new PullRefusal('409 Consumer is push based');
      served.pull(readPull(body, served.consumer.config), reply);
    } catch (error) {
      if (!(error instanceof PullRefusal)) throw error;
      const block = statusBlock(error.message);
      this.#api.say(request, block, block.length);
    }
  }

  #onAcks(topic: Topic, requests: MessageView): void {
    const served = this.#acknowledged(topic);
    for (let i = 0; i < requests.count; i++) {
      const acks = served?.consumer.acks ? served : null;
      if (acks !== null && this.#takesPlainly(acks, topic, requests, i)) continue;
      this.#onAck(acks, topic, requests, i);
    }
  }

  /** The consumer that acknowledgements at a subject are for; null when there is none. */
  #acknowledged(topic: Topic): ServedConsumer | null {
    if (topic === this.#ackTopic && this.#ackConsumer?.isGone === false) return this.#ackConsumer;
    const tokens = topic.text.split('.');
    const name = readableText(tokens[ackStream] as string);
    this.#ackTopic = topic;
    this.#ackConsumer = this.#consumers.find(name, readableText(tokens[ackConsumer] as string));
    return this.#ackConsumer;
  }

  /** Takes an acknowledgement as most are: it says that a message is done, and nothing else. False when it says anything else. */
  #takesPlainly(served: ServedConsumer, topic: Topic, requests: MessageView, index: number): boolean {
    const start = bodyStart(topic, requests, index);
    if (topic.kind !== 'shared' || !saysDone(requests.bytes, start, requests.ends[index])) return false;
    const numbers = this.#numbers;
    if (!readNumbers(requests.bytes, requests.payloadStart(index), start - 1, numbers)) return false;
    const isKnown = served.acknowledge(numbers[ackSequence - ackNumbers], numbers[ackDelivery - ackNumbers]);
    if (isKnown && requests.withReplies) served.confirm(requests, index);
    return true;
  }

  #onAck(served: ServedConsumer | null, topic: Topic, requests: MessageView, index: number): void {
    const subject = requestSubject(topic, requests, index);
    const tokens = subject.split('.');
    const body = latin1String(requests.bytes, bodyStart(topic, requests, index), requests.ends[index]);
    const reply = requests.withReplies
      ? requests.bytes.slice(requests.replyStarts[index], requests.replyEnds[index])
      : new Uint8Array(0);
    const name = readableText(tokens[ackStream] as string);
    const request = { tokens: [], name, body, reply, requiresLevel: false, caller: '' };
    if (served === null || tokens.length !== ackTokens) this.#api.sayNobody(request, subject);
    else this.#judge(served, tokens, request, requests, index);
  }

  #judge(
    served: ServedConsumer,
    tokens: readonly string[],
    request: ApiRequest,
    requests: MessageView,
    index: number,
  ): void {
    const { body, reply } = request;
    const ack = readAck(body);
    const [sequence, delivery] = [Number(tokens[ackSequence]) || 0, Number(tokens[ackDelivery]) || 0];
    const isKnown =
      ack.verdict === 'ack' ? served.acknowledge(sequence, delivery) : served.judge(sequence, delivery, ack);
    if (ack.pull !== null) this.#pull(served, ack.pull, reply, request);
    else if (isKnown && reply.length > 0) served.confirm(requests, index);
    else served.wake();
  }

  /** Somebody who takes what a consumer delivers has kept up so far. */
  #onFlow({ text }: Topic): void {
    const tokens = text.split('.');
    const served = this.#consumers.find(
      readableText(tokens[ackStream] as string),
      readableText(tokens[ackConsumer] as string),
    );
    if (served?.push?.onFlow(text)) served.wake();
  }
}

const ackWord = latin1Bytes('+ACK');
const okWord = latin1Bytes('+OK');

/** Whether an acknowledgement says that a message is done, and no more. */
function saysDone(bytes: Uint8Array, start: number, end: number): boolean {
  return end === start || equalAt(bytes, start, end, ackWord) || equalAt(bytes, start, end, okWord);
}

function equalAt(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false;
  return true;
}

/** Reads numbers that stand between dots, 0 for what is none. Returns false when there are not as many as there is room for. */
function readNumbers(bytes: Uint8Array, start: number, end: number, into: Float64Array): boolean {
  let at = start;
  let i = 0;
  for (; i < into.length && at < end; i++, at++) {
    let number = 0;
    for (; at < end && bytes[at] !== dot; at++) {
      const digit = bytes[at] - zero;
      number = digit >= 0 && digit <= 9 ? number * 10 + digit : Number.NaN;
    }
    into[i] = number <= Number.MAX_SAFE_INTEGER ? number : 0;
  }
  return i === into.length && at > end;
}
