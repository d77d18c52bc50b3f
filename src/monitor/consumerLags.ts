import { lagConsumersMax } from '../base/limits.js';
import { fromAllShards, type Sources } from './sources.js';

/** What a consumer has before it, and has delivered and not heard of. */
export interface ConsumerLag {
  readonly stream: string;
  readonly consumer: string;
  readonly pending: number;
  readonly unacknowledged: number;
}

/** @param consumers how many there are; of more than a few hundred nothing is told, since each stream has to be looked at */
export async function consumerLags(sources: Sources, consumers: number): Promise<readonly ConsumerLag[]> {
  const lags: ConsumerLag[] = [];
  if (consumers === 0 || consumers > lagConsumersMax) return lags;
  for await (const [, { rows }] of fromAllShards(sources, 'streams', { consumers: true, config: false }))
    for (const { json } of rows) lags.push(...lagsOf(json));
  return lags;
}

interface Told {
  readonly consumer_detail?: readonly {
    readonly stream_name: string;
    readonly name: string;
    readonly num_pending: number;
    readonly num_ack_pending: number;
  }[];
}

function lagsOf(json: string): ConsumerLag[] {
  const { consumer_detail = [] } = JSON.parse(json) as Told;
  return consumer_detail.map(({ stream_name, name, num_pending, num_ack_pending }) => ({
    stream: stream_name,
    consumer: name,
    pending: num_pending,
    unacknowledged: num_ack_pending,
  }));
}
