import type { BrokerOptions } from '../options/brokerOptions.js';
import type { ServerInfo } from '../protocol/info.js';

/** What an endpoint needs to know of its broker's options. */
export const endpointOptionNames = [
  'maxPayloadBytes',
  'subscriptionMemoryBytes',
  'blockMaxMs',
  'lossWindowMs',
  'drainTimeoutMs',
] as const satisfies readonly (keyof BrokerOptions)[];

/** What may be changed while an endpoint runs. */
export interface EndpointSettings extends Pick<BrokerOptions, (typeof endpointOptionNames)[number]> {
  /** What traces say of the broker. */
  readonly server: ServerInfo;
  /** Declared topics in strict mode, else null. */
  readonly declared: readonly string[] | null;
  /** Topics that refuse what is published while they are full. */
  readonly refusing: readonly string[];
}
