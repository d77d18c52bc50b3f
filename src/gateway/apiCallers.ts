import { accountName } from '../base/account.js';
import type { ApiCaller } from '../protocol/apiAudit.js';
import { ApiAudience } from '../router/apiAudience.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import { kindOf } from './connectionReports.js';
import { userOf } from './userInfo.js';

const nanosecondsInMs = 1e6;

/** Who asks for something of streams and consumers: what is told of that says it, and only a client's own gateway knows. */
export class ApiCallers {
  readonly audience: ApiAudience;

  constructor(router: Router) {
    this.audience = new ApiAudience(router);
  }

  /** Whether somebody is told of what is asked there. */
  areTold(asked: Topic): boolean {
    return this.audience.listensTo(asked);
  }

  /** What is told of a client, as JSON; null while nobody listens to that. */
  callerOf(connection: Connection, asked: Topic): Uint8Array | null {
    return this.areTold(asked) ? Buffer.from(JSON.stringify(describe(connection))) : null;
  }
}

function describe(connection: Connection): ApiCaller {
  const { id, remoteAddress, traffic, clock, options } = connection;
  return {
    start: new Date(traffic.startMs).toISOString(),
    host: remoteAddress,
    id,
    acc: accountName(connection.account),
    user: userOf(options) || undefined,
    name: options.name || undefined,
    lang: options.lang || undefined,
    ver: options.version || undefined,
    rtt: Math.round(clock.rttMs * nanosecondsInMs) || undefined,
    client_type: kindOf(connection),
  };
}
