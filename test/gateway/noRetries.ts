import type { Retries } from '../../src/gateway/ingress.js';

/** Of connections that no lane gives room to. */
export const noRetries: Retries = { beginRetry: () => {}, endRetry: () => {} };
