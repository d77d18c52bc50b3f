import { getHeapStatistics } from 'node:v8';
import type { JournalCount, ShardStatistics } from '../base/statistics.js';
import { type TallyRow, tally } from '../base/tally.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Gateway } from '../gateway/gateway.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import type { Shard } from '../shard/shard.js';
import { journalOf, type ShardJournals } from './shardJournals.js';

export interface StatisticsParts {
  readonly self: number;
  readonly gateway: Gateway;
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly shard: Shard;
  readonly journals: ShardJournals;
  readonly tally: TallyRow;
}

/** What a shard's thread has counted and holds; subjects and subscribers by name from the first time on. */
export function reportStatistics(parts: StatisticsParts): ShardStatistics {
  const { self, gateway, router, exchange, shard } = parts;
  gateway.beginCounting();
  // first, since it settles what the kernel has published
  const subscribers = gateway.subscriberCounts.report();
  const published = shard.sequenced + (parts.tally[tally.unwanted] as number);
  const { topics, others } = router.counts.report(published);
  return {
    shard: self,
    published,
    topics,
    times: router.counts.times?.memory ?? null,
    otherPublished: others,
    subscribers,
    lanes: exchange.laneFills(),
    journals: journalCounts(parts.journals),
    memory: {
      heap: getHeapStatistics().used_heap_size,
      ...gateway.memoryHeld(),
      subscriptions: router.interest.heldBytes,
      topics: router.topics.heldBytes,
      lastValues: shard.lastValues.bytes,
    },
    parked: gateway.ingress.parkedCount,
  };
}

function journalCounts(journals: ShardJournals): JournalCount[] {
  return [false, true].flatMap((buffered) => {
    const journal = journalOf(buffered);
    const written = journals[journal]?.written ?? null;
    return written === null ? [] : [{ journal, ...written }];
  });
}
