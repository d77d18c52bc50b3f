import type { ShardSummary } from '../base/reports.js';
import { apiLevel } from '../protocol/info.js';
import type { Facts } from './sources.js';

/** What streams may take; on disk nothing bounds them but the disk. */
export function jetStreamConfig({ options, info }: Facts) {
  const { streamMemoryBytes, data } = options;
  return {
    max_memory: streamMemoryBytes,
    max_storage: -1,
    store_dir: data ?? '',
    // before a publish is acknowledged, unless a stream says otherwise
    sync_interval: 0,
    sync_always: true,
    ...(info.domain === undefined ? {} : { domain: info.domain }),
    strict: true,
  };
}

export function jetStreamStats(summary: ShardSummary): object {
  return {
    memory: summary.memoryBytes,
    storage: summary.fileBytes,
    reserved_memory: summary.reservedMemoryBytes,
    reserved_storage: summary.reservedFileBytes,
    accounts: 1,
    ha_assets: 0,
    api: { level: apiLevel, total: summary.answered, errors: summary.failed },
  };
}

export const jetStreamLimits = { default_max_consumers: 1000 } as const;
