import { afterEach, beforeEach, expect } from 'vitest';

/** Has each test of the file fail in which something is thrown, or rejects, that nobody catches. */
export function expectNothingUncaught(): void {
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown): void => void uncaught.push(error);

  beforeEach(() => {
    uncaught.length = 0;
    process.on('unhandledRejection', onUncaught);
    process.on('uncaughtException', onUncaught);
  });

  afterEach(async () => {
    // rejections are told of once all microtasks have run
    await new Promise(setImmediate);
    process.off('unhandledRejection', onUncaught);
    process.off('uncaughtException', onUncaught);
    expect(uncaught).toEqual([]);
  });
}
