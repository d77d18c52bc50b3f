import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/peers/**', 'node_modules/**', 'dist/**'],
    // much of the time is waiting for brokers: three files at a time are never too many
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // only so that a hang ends: a busy machine may take its time, or be halted for a while
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // what is polled for is waited for: a busy machine is no failure
    expect: { poll: { timeout: 45_000, interval: 20 } },
  },
});
