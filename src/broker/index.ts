export type { BrokerStatistics, ParkCause, ShardState } from '../base/brokerStatistics.js';
export type { PolicyName } from '../base/policy.js';
export type {
  HeldMemory,
  JournalCount,
  LaneFill,
  RecentDurations,
  SubscriberCount,
  TopicCount,
} from '../base/statistics.js';
export type { AnswerOptions, BrokerClient, StreamOptions, TopicOptions } from '../client/brokerClient.js';
export type { EndpointCensus } from '../client/census.js';
export { type Codec, codecs } from '../client/codecs.js';
export * from '../client/errors.js';
export type { Handler, OnDrop, OnError } from '../client/handlers.js';
export type { Headers, MessageFields } from '../client/headers.js';
export type { AckOptions, Message, NackOptions, TerminateOptions } from '../client/message.js';
export type { RequestOptions } from '../client/requests.js';
export type { SchemaResult, StandardSchema, Validate } from '../client/schema.js';
export type { BrokerStream, PublishAck, PurgeOptions } from '../client/streams/brokerStream.js';
export type { StreamPublishOptions } from '../client/streams/publishOptions.js';
export type { ReadOptions } from '../client/streams/readOptions.js';
export type { StoredMessage } from '../client/streams/storedMessage.js';
export type { StreamConfig, StreamInfo } from '../client/streams/streamConfig.js';
export type { Group, HandlerOptions, SubscribeOptions } from '../client/subscribeOptions.js';
export type { HandlerSubscription, MessageStream } from '../client/subscriptions.js';
export type { PublishOptions, Topic } from '../client/topicHandle.js';
export type { QueueOptions, TakeOptions, WorkQueue } from '../client/workQueue.js';
export type { BrokerOptions, LogLevel, Order } from '../options/brokerOptions.js';
export type { SomeOptions } from '../options/options.js';
export { OptionsError } from '../options/optionsError.js';
export type { ShardCensus } from './census.js';
export type { ConnectedBroker } from './connect.js';
export { DataError } from './dataError.js';
export type { Broker, ListenOptions, StartOptions } from './embedded.js';
export { ListenError } from './listenError.js';
export type { Logger, LogMethod } from './logger.js';
export type { BrokerPorts, BrokerServer, Reloaded } from './server.js';
export { connectBroker, startBroker } from './start.js';
