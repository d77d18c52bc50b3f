import type { StreamConfig } from './streamConfig.js';

// What Shardcast adds to a stream's configuration lies in its metadata: NATS's clients pass that on as it is.

const prefix = 'shardcast.';
const deliverKey = `${prefix}deliver`;

/** What each may be; the first is what counts when nothing is said. */
const values: ReadonlyMap<string, readonly string[]> = new Map([[deliverKey, ['committed', 'immediate']]]);

/** What is wrong with Shardcast's part of a stream's metadata; null when nothing is. */
export function extensionProblem(metadata: ReadonlyMap<string, string>): string | null {
  for (const [key, value] of metadata) {
    if (!key.startsWith(prefix)) continue;
    const allowed = values.get(key);
    if (allowed === undefined) return `metadata ${key} is not known, there are: ${[...values.keys()].join(', ')}`;
    if (!allowed.includes(value)) return `metadata ${key} must be one of: ${allowed.join(', ')}`;
  }
  return null;
}

/** Whether plain subscribers see what is published before it is on disk: a crash may take it back. */
export function deliversAtOnce({ metadata }: StreamConfig): boolean {
  return metadata.get(deliverKey) === 'immediate';
}
