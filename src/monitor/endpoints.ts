import { accountz, accstatz } from './accounts.js';
import type { Answer } from './answer.js';
import { connz } from './connz.js';
import { healthz } from './healthz.js';
import { jsz } from './jsz.js';
import { metrics } from './metrics.js';
import { gatewayz, leafz, routez } from './peers.js';
import type { Query } from './query.js';
import type { Sources } from './sources.js';
import { subsz } from './subsz.js';
import { varz } from './varz.js';

/** @throws RequestError for what cannot be asked so */
export type Endpoint = (sources: Sources, query: Query) => Answer | Promise<Answer>;

/** What is answered, by path. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['/varz', varz],
  ['/connz', connz],
  ['/subsz', subsz],
  ['/subscriptionsz', subsz],
  ['/jsz', jsz],
  ['/healthz', healthz],
  ['/accountz', accountz],
  ['/accstatz', accstatz],
  ['/routez', routez],
  ['/gatewayz', gatewayz],
  ['/leafz', leafz],
  ['/metrics', metrics],
]);
