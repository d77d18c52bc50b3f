import { latin1String, readableText } from '../../base/bytes.js';
import type { MessageView } from '../../base/messageView.js';
import { cost } from '../../base/work.js';
import { readAck } from '../../protocol/ackMessage.js';
import { statusBlock } from '../../protocol/statusBlock.js';
import { ackPattern } from '../../router/services.js';
import type { Topic } from '../../router/topic.js';
import { PullRefusal, readPull } from '../../stream/consumer/pullRequest.js';
import { bodyStart, requestSubject } from '../requestParts.js';
import type { ShardServices } from '../services.js';
import type { ApiRequest } from '../streams/apiRequest.js';
import type { ApiService } from '../streams/apiService.js';
import { AckReader } from './ackReader.js';
import type { ServedConsumer } from './servedConsumer.js';
import type { ShardConsumers } from './shardConsumers.js';

/** Token of an acknowledgement's subject with the stream, and those behind it. */
const ackStream = 2;
const ackConsumer = 3;
const ackSequence = 5;
const ackDelivery = 6;
const ackTokens = 9;
/** What an acknowledgement costs more that says anything else than that a message is done. */
const otherAckUnits = cost.request - cost.acknowledgement;

/** Answers requests for messages, and takes acknowledgements. */
export class ConsumerRequests {
  readonly #consumers: ShardConsumers;
  readonly #api: ApiService;
  /** Where the last acknowledgements came, and for whom that is. */
  #ackTopic: Topic | null = null;
  #ackConsumer: ServedConsumer | null = null;
  readonly #plain = new AckReader();

  constructor(consumers: ShardConsumers, api: ApiService) {
    this.#consumers = consumers;
    this.#api = api;
  }

  open(services: Pick<ShardServices, 'open' | 'charge'>): void {
    const sayNobody = async (request: ApiRequest): Promise<void> => this.#api.sayNobody(request);
    this.#api.openRaw('CONSUMER.MSG.NEXT.*.*', 'owner', async (request) => this.#next(request), sayNobody);
    services.open(
      { pattern: ackPattern, nameToken: ackStream },
      { onRequests: (topic, requests) => services.charge(this.#onAcks(topic, requests) * otherAckUnits) },
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

  /** @returns how many say anything else than that a message is done */
  #onAcks(topic: Topic, requests: MessageView): number {
    const served = this.#acknowledged(topic);
    const acks = served?.consumer.acks ? served : null;
    let others = 0;
    for (let from = 0; from < requests.count; ) {
      const end = acks === null ? from : this.#plain.read(topic, requests, from);
      if (end > from) acks?.acknowledgeRun(this.#plain.acks, requests, from, end);
      from = end + 1;
      if (end === requests.count) break;
      this.#onAck(acks, topic, requests, end);
      others++;
    }
    return others;
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
