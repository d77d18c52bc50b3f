import { afterAll, vi } from 'vitest';

// Files of one process share no modules: what one has taken of the kernel's memory would be missing to the next.
afterAll(() => {
  vi.resetModules();
});
