import type { Exchange } from '../../exchange/exchange.js';
import type { Router } from '../../router/router.js';
import type { Topic } from '../../router/topic.js';
import type { Traces } from '../../router/traces.js';
import type { ApiCallers } from '../apiCallers.js';
import type { BrokerAnswers } from '../brokerAnswers.js';
import type { Connection } from '../connection.js';
import type { Delivery } from '../delivery.js';
import type { Durables } from '../durables/durables.js';
import type { Egress } from '../egress.js';
import type { Greeter } from '../greeter.js';
import type { Lifecycle } from '../lifecycle.js';
import type { Logins } from '../logins/logins.js';
import type { Meter } from '../meter.js';
import type { GatewayLimits } from '../options.js';
import type { OptionsRequests } from '../policies/optionsRequests.js';
import type { Policing } from '../policies/policing.js';
import type { StoreAnswers } from '../storeAnswers.js';
import type { Subscriptions } from '../subscriptions.js';
import type { UserInfo } from '../userInfo.js';

/** What commands need of the gateway around them. */
export interface CommandsHost {
  readonly self: number;
  readonly limits: GatewayLimits;
  readonly logins: Logins;
  readonly lifecycle: Lifecycle;
  readonly subscriptions: Subscriptions;
  readonly greeter: Greeter;
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly egress: Egress;
  readonly answers: BrokerAnswers;
  readonly delivery: Delivery;
  readonly policing: Policing;
  readonly asking: OptionsRequests;
  readonly userInfo: UserInfo;
  readonly apiCallers: ApiCallers;
  readonly stores: StoreAnswers;
  readonly tracing: Traces<Connection>;
  readonly durables: Durables;
  readonly meter: Meter;
  /** Whether publishers wait until others were ended to make room for what they publish. */
  readonly memoryShort: boolean;
  /** Connections that wait for room, or for their next share. */
  readonly waiting: number;
  /** Sends out what has collected, in the middle of a long read. */
  flush(): void;
}
