import { defineConfig } from 'vitest/config';

/** Tests that need a peer on the machine (nats-server): run by `.ci/run`, not by `npm test`. */
export default defineConfig({
  test: {
    // both wait for a peer most of the time
    maxWorkers: 2,
    include: ['test/peers/**/*.test.ts'],
    // only so that a hang ends: a busy machine may take its time
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // what is polled for is waited for: a busy machine is no failure
    expect: { poll: { timeout: 45_000, interval: 20 } },
  },
});
