import { type TestAPI, test } from 'vitest';

/**
 * What the tests run against. `SHARDCAST_TEST_TARGET=nats-server` starts Debian's nats-server instead of the broker, so
 * that an expectation is known to be NATS's own and not only what we happen to do.
 */
export const isOracle = process.env.SHARDCAST_TEST_TARGET === 'nats-server';

/** A promise of our own, which nats-server does not make: skipped when nats-server is the target. */
export const ours = test.skipIf(isOracle) as TestAPI;

/** How nats-server differs from us: runs only against it, so that the difference stays a known fact. */
export const theirs = test.runIf(isOracle) as TestAPI;

/** Shard counts worth covering. nats-server has no shards, so it is asked once. */
export const shardCounts: readonly number[] = isOracle ? [1] : [1, 2, 4];
