/** What a test asks of shards' threads. */
export type ToOwners =
  | { readonly type: 'own'; readonly id: number; readonly pattern: string; readonly owner: number }
  /** Blocks a shard's thread until the word changes. */
  | { readonly type: 'hang'; readonly shard: number; readonly word: SharedArrayBuffer };

/** What they answer: the error's text when the owner could not be changed, and who the owner is then. */
export type FromOwners =
  | { readonly type: 'owned'; readonly id: number; readonly error: string | null; readonly changed: boolean }
  | { readonly type: 'hanging' };

/** Names the channel by which a test and its shards' threads reach each other. */
export const channelVariable = 'SHARDCAST_TEST_OWNERS';

/** Blocks the calling thread until the word changes, telling before that it does. */
export function hang(word: SharedArrayBuffer, tell: () => void): void {
  tell();
  Atomics.wait(new Int32Array(word), 0, 0);
}

export function wake(word: SharedArrayBuffer): void {
  const words = new Int32Array(word);
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
}
