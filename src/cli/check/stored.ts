import { StreamError } from '../../base/streamError.js';
import { ConsumerApi } from '../../protocol/streamApi/consumerApi.js';
import type { ConsumerInfoJson } from '../../protocol/streamApi/consumerJson.js';
import type { StreamStateJson } from '../../protocol/streamApi/json.js';
import { type AskStreams, StreamApi } from '../../protocol/streamApi/streamApi.js';
import { type ApiOptions, withApi } from '../apiSession.js';
import { CliError } from '../exit.js';
import { formatSize, plural } from '../figures.js';
import { conclude } from './conclude.js';
import { formatSeconds, type Levels, type Measure } from './verdict.js';

const NOT_FOUND = 404;

export interface StreamCheckOptions extends ApiOptions {
  readonly minMessages?: Levels;
  readonly maxMessages?: Levels;
  readonly maxBytes?: Levels;
  readonly maxAge?: Levels;
  readonly minConsumers?: Levels;
}

export interface ConsumerCheckOptions extends ApiOptions {
  readonly maxPending?: Levels;
  readonly maxAckPending?: Levels;
  readonly maxRedelivered?: Levels;
  readonly minPulls?: Levels;
  readonly maxWaitingAge?: Levels;
}

/** How much a stream has, and how old the newest of it is. */
export async function checkStream(stream: string, options: StreamCheckOptions): Promise<void> {
  await conclude(`stream ${stream}`, () =>
    asked(options, async (ask) => {
      const { state } = await new StreamApi(ask, options.domain).info(stream);
      return [...measuresOfStream(state, options), ...ageOfLast(state, options.maxAge)];
    }),
  );
}

/** How far a consumer is behind its stream. */
export async function checkConsumer(stream: string, name: string, options: ConsumerCheckOptions): Promise<void> {
  await conclude(`consumer ${stream} ${name}`, () =>
    asked(options, async (ask) => {
      const info = await new ConsumerApi(ask, stream, options.domain).info(name);
      const measures = measuresOfConsumer(info, options);
      if (options.maxWaitingAge === undefined) return measures;
      const age = await waitingAge(new StreamApi(ask, options.domain), info);
      const said = age === 0 ? 'nothing waits' : `the oldest waits for ${formatSeconds(age)}`;
      return [...measures, { label: 'waiting_age', value: age, unit: 's', said, atMost: options.maxWaitingAge }];
    }),
  );
}

async function asked<T>(options: ApiOptions, work: (ask: AskStreams) => Promise<T>): Promise<T> {
  let result: T | undefined;
  await withApi(options, 'shardcast check', null, async (ask) => {
    result = await work(ask);
  });
  return result!;
}

function measuresOfStream(state: StreamStateJson, options: StreamCheckOptions): Measure[] {
  const { minMessages: atLeast, maxMessages: atMost, maxBytes, minConsumers } = options;
  const { messages, bytes, consumer_count: consumers } = state;
  return [
    { label: 'messages', value: messages, unit: '', said: plural(messages, 'message'), atLeast, atMost },
    { label: 'bytes', value: bytes, unit: 'B', said: formatSize(bytes), atMost: maxBytes },
    { label: 'consumers', value: consumers, unit: '', said: plural(consumers, 'consumer'), atLeast: minConsumers },
  ];
}

/** A stream that never had a message has none of any age, which is critical where there must be one. */
function ageOfLast({ last_seq: lastSeq, last_ts: lastTime }: StreamStateJson, atMost?: Levels): Measure[] {
  if (lastSeq === 0 || lastTime.startsWith('0001-')) {
    if (atMost !== undefined) throw new CliError('no message yet');
    return [];
  }
  const age = secondsSince(lastTime);
  return [{ label: 'age', value: age, unit: 's', said: `the last ${formatSeconds(age)} ago`, atMost }];
}

function measuresOfConsumer(info: ConsumerInfoJson, options: ConsumerCheckOptions): Measure[] {
  const measure = (label: string, value: number, what: string, bounds: Pick<Measure, 'atLeast' | 'atMost'>) =>
    ({ label, value, unit: '', said: `${value.toLocaleString('en')} ${what}`, ...bounds }) as const;
  return [
    measure('pending', info.num_pending, 'to be delivered', { atMost: options.maxPending }),
    measure('ack_pending', info.num_ack_pending, 'to be acknowledged', { atMost: options.maxAckPending }),
    measure('redelivered', info.num_redelivered, 'delivered again', { atMost: options.maxRedelivered }),
    measure('pulls', info.num_waiting, 'pulls waiting', { atLeast: options.minPulls }),
  ];
}

/** How old the first message is that is not acknowledged, be it delivered or not, in seconds; 0 where there is none. */
export async function waitingAge(streams: StreamApi, info: ConsumerInfoJson): Promise<number> {
  if (info.num_pending === 0 && info.num_ack_pending === 0) return 0;
  const { filter_subject: filter, filter_subjects: filters } = info.config;
  const seq = info.ack_floor.stream_seq + 1;
  let oldest = 0;
  for (const subject of filters ?? [filter || '>']) {
    const time = await timeOfNext(streams, info.stream_name, seq, subject);
    if (time !== null) oldest = Math.max(oldest, secondsSince(time));
  }
  return oldest;
}

async function timeOfNext(streams: StreamApi, stream: string, seq: number, subject: string): Promise<string | null> {
  try {
    return (await streams.message(stream, { seq, next_by_subj: subject })).time;
  } catch (error) {
    if (error instanceof StreamError && error.status === NOT_FOUND) return null;
    throw error;
  }
}

/** By this machine's clock; one that is behind the server's makes nothing younger than now. */
function secondsSince(time: string): number {
  return Math.max(0, Date.now() - Date.parse(time)) / 1000;
}
