// A user's program: it is compiled against the package, by its declarations alone, and then run.
import { Worker } from 'node:worker_threads';
import {
  AbortedError,
  type AnswerOptions,
  type Broker,
  type BrokerClient,
  BrokerError,
  type BrokerOptions,
  type BrokerPorts,
  type BrokerServer,
  type Codec,
  type ConnectedBroker,
  codecs,
  connectBroker,
  type EndpointCensus,
  type Group,
  type Handler,
  type HandlerOptions,
  type HandlerSubscription,
  type Headers,
  type ListenOptions,
  type Logger,
  type LogLevel,
  type Message,
  type MessageFields,
  type MessageStream,
  type OnDrop,
  type OnError,
  type Order,
  type PolicyName,
  type PublishOptions,
  type QueueOptions,
  type RequestOptions,
  type SchemaResult,
  type ShardCensus,
  type StandardSchema,
  type StartOptions,
  type SubscribeOptions,
  startBroker,
  type TakeOptions,
  type Topic,
  type TopicOptions,
  type Validate,
  type WorkQueue,
} from 'shardcast';

interface Quote {
  bid: number;
}

const schema: StandardSchema<Quote> = {
  '~standard': {
    version: 1,
    vendor: 'none',
    validate: (value): SchemaResult<Quote> => ({ value: value as Quote }),
  },
};
const text: Codec<string> = codecs.utf8;
const lines: string[] = [];
const log = (fields: object | string, line?: string): void => void lines.push(line ?? String(fields));
const logger: Logger = { fatal: log, error: log, warn: log, info: log, debug: log };
const listen: ListenOptions = { host: '127.0.0.1', port: 0 };
const level: LogLevel = 'warn';
const order: Order = 'topic';
const start: StartOptions = { shards: 1, logLevel: level, order, listen: false };

/** What any end of a broker can do. */
async function use(client: BrokerClient): Promise<number> {
  const validate: Validate = 'both';
  const options: TopicOptions<Quote> = { codec: codecs.json, schema, validate };
  const quotes: Topic<Quote> = client.topic<Quote>('md.*', options);
  const policy: PolicyName = 'conflate';
  const onDrop: OnDrop = (dropped, total) => void lines.push(`${dropped} ${total}`);
  const onError: OnError<Quote> = (error, message) => void lines.push(`${String(error)} ${message.subject}`);
  const group: Group = { name: 'g', orderedBy: 'key' };
  const given: SubscribeOptions = { policy, onDrop, group };
  const handled: HandlerOptions<Quote> = { ...given, onError };
  const seen: Message<Quote>[] = [];
  const handler: Handler<Quote> = (message) => void seen.push(message);
  const subscription: HandlerSubscription = quotes.subscribe(handler, handled);
  const stream: MessageStream<Quote> = quotes.at('md.a').subscribe({ signal: new AbortController().signal });
  const fields: MessageFields = { key: 'k', headers: { a: 'b' } satisfies Headers };
  const publish: PublishOptions = { ...fields, subject: 'md.a' };
  const wanted: boolean = await quotes.publish({ bid: 1 }, publish);
  let bid = 0;
  for await (const { value } of stream) {
    bid = value.bid;
    break;
  }
  subscription.unsubscribe();
  const asked: RequestOptions & AnswerOptions<string> = { timeoutMs: 1000, answer: { codec: text } };
  const service = client.reply<number, string>('double', ({ value }) => String(2 * value), { answer: { codec: text } });
  const answer: Message<string> = await client.request<number, string>('double', bid, asked);
  service.unsubscribe();
  const queued: QueueOptions = { bufferCount: 8 };
  const taken: TakeOptions = { signal: AbortSignal.timeout(1) };
  const jobs: WorkQueue<Quote> = client.queue<Quote>('jobs', queued);
  const error: unknown = await jobs.take(taken).catch((reason: unknown) => reason);
  if (!(error instanceof AbortedError) || !(error instanceof BrokerError) || error.code !== 'ABORTED') throw error;
  jobs.close();
  const census: EndpointCensus = client.endpointCensus();
  return wanted && census.peers >= 1 ? Number(answer.value) : -1;
}

async function main(): Promise<void> {
  const broker: Broker = await startBroker(start, logger);
  const server: BrokerServer = broker;
  const ports: BrokerPorts = server.ports;
  const options: Partial<BrokerOptions> = { pingMax: 3 };
  const here = await use(broker);
  const port = broker.port();
  if (typeof Worker !== 'function' || options.pingMax !== 3 || listen.port !== 0) throw new Error('no');
  const connected: ConnectedBroker = await connectBroker(port);
  const there = await use(connected);
  await connected.close();
  const censuses: readonly ShardCensus[] = await broker.census();
  await broker.stop();
  console.log(JSON.stringify({ here, there, shards: censuses.length, nats: ports.nats.length }));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
