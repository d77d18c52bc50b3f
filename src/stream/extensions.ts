import { readSyncMs, syncKey, syncTexts } from '../base/syncPolicy.js';
import type { StreamConfig } from './streamConfig.js';

// What Shardcast adds to a stream's configuration lies in its metadata: NATS's clients pass that on as it is.

const prefix = 'shardcast.';
const deliverKey = `${prefix}deliver`;

/** What one of them may be. */
interface Extension {
  readonly texts: readonly string[];
  allows(value: string): boolean;
}

function oneOf(...texts: string[]): Extension {
  return { texts, allows: (value) => texts.includes(value) };
}

/** The first text of each is what counts when nothing is said. */
const extensions: ReadonlyMap<string, Extension> = new Map([
  [deliverKey, oneOf('committed', 'immediate')],
  [syncKey, { texts: syncTexts, allows: (value) => readSyncMs(value) !== null }],
]);

/** What is wrong with Shardcast's part of a stream's metadata; null when nothing is. */
export function extensionProblem({ metadata, storage }: Pick<StreamConfig, 'metadata' | 'storage'>): string | null {
  for (const [key, value] of metadata) {
    if (!key.startsWith(prefix)) continue;
    const extension = extensions.get(key);
    if (extension === undefined) return `metadata ${key} is not known, there are: ${[...extensions.keys()].join(', ')}`;
    if (!extension.allows(value)) return `metadata ${key} must be one of: ${extension.texts.join(', ')}`;
  }
  if (storage === 'memory' && metadata.has(syncKey)) return `metadata ${syncKey} is for streams with storage file`;
  return null;
}

/** Whether plain subscribers see what is published before it is on disk: a crash may take it back. */
export function deliversAtOnce({ metadata }: StreamConfig): boolean {
  return metadata.get(deliverKey) === 'immediate';
}

/**
 * Within how many milliseconds what a stream has acknowledged is on disk: 0 when it is before that, infinite when nobody sees to it. A
 * crash of the machine, not of the broker, may take back what is not.
 */
export function syncMsOf({ metadata }: StreamConfig): number {
  return readSyncMs(metadata.get(syncKey) ?? 'always') as number;
}

/** Where a stream is kept: on disk it is `synced` before anybody is told of what it takes, or `buffered`. */
export type StreamPlace = 'memory' | DiskPlace;
export type DiskPlace = 'synced' | 'buffered';
export const diskPlaces: readonly DiskPlace[] = ['synced', 'buffered'];

export function placeOf(config: StreamConfig): StreamPlace {
  if (config.storage === 'memory') return 'memory';
  return syncMsOf(config) > 0 ? 'buffered' : 'synced';
}
