import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Files that leave nothing behind in their process but modules: they call parts of the product, or brokers that are processes of their own. */
const folders = 'base,clients,exchange,gateway,log,protocol,ring,router,shard,stream,subscriber,wire';
const sharing = `test/{${folders}}/**/*.test.ts`;
const nowhere = ['test/peers/**', 'node_modules/**', 'dist/**'];

export default defineConfig({
  test: {
    // much of the time is waiting for brokers: four files at a time keep two cores busy (docs/decisions/0079)
    maxWorkers: Math.max(4, availableParallelism() - 1),
    // only so that a hang ends: a busy machine may take its time, or be halted for a while
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // what is polled for is waited for: a busy machine is no failure
    expect: { poll: { timeout: 45_000, interval: 20 } },
    // in the order of their names: the shortest come last, so that no long one is waited for alone
    projects: [
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: [...nowhere, sharing] } },
      {
        extends: true,
        test: {
          name: 'sharing a process',
          include: [sharing],
          exclude: nowhere,
          // a process for each of them takes a third of a second of a core: docs/decisions/0079
          isolate: false,
          setupFiles: ['test/harness/freshModules.ts'],
        },
      },
    ],
  },
});
