import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/peers/**', 'node_modules/**', 'dist/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // what is polled for is waited for: a busy machine is no failure
    expect: { poll: { timeout: 45_000, interval: 20 } },
  },
});
