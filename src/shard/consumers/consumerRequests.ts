import { latin1String, readableText } from '../../base/bytes.js';
import type { MessageView } from '../../base/messageView.js';
import { statusBlock } from '../../protocol/statusBlock.js';
import type { Topic } from '../../router/topic.js';
import { readAck } from '../../stream/consumer/ackMessage.js';
import { PullRefusal, readPull } from '../../stream/consumer/pullRequest.js';
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

/** Answers requests for messages, and takes acknowledgements. */
export class ConsumerRequests {
  readonly #consumers: ShardConsumers;
  readonly #api: ApiService;

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

  #onAcks({ text }: Topic, requests: MessageView): void {
    const tokens = text.split('.');
    const name = readableText(tokens[ackStream] as string);
    const served = this.#consumers.find(name, readableText(tokens[ackConsumer] as string));
    for (let i = 0; i < requests.count; i++) {
      const body = latin1String(requests.bytes, requests.payloadStart(i), requests.ends[i]);
      const reply = requests.withReplies
        ? requests.bytes.slice(requests.replyStarts[i], requests.replyEnds[i])
        : new Uint8Array(0);
      const request = { tokens: [], name, body, reply, requiresLevel: false };
      if (served === null || !served.consumer.acks) this.#api.sayNobody(request, text);
      else this.#judge(served, tokens, request);
    }
  }

  #judge(served: ServedConsumer, tokens: readonly string[], request: ApiRequest): void {
    const { body, reply } = request;
    const ack = readAck(body);
    const isKnown = served.judge(Number(tokens[ackSequence]) || 0, Number(tokens[ackDelivery]) || 0, ack);
    if (ack.pull !== null) this.#pull(served, ack.pull, reply, request);
    else if (isKnown && reply.length > 0) served.confirm(() => this.#api.say(request, new Uint8Array(0)));
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
