import type { BrokerOptions } from '../options/brokerOptions.js';

/** What a gateway needs to know of its broker's options, and a reload may change. */
export const gatewayLimitNames = [
  'maxControlLineBytes',
  'maxPayloadBytes',
  'maxPendingBytes',
  'topicBufferBytes',
  'blockMaxMs',
  'allowBlock',
  'noFastProducerStall',
  'maxSubscriptions',
  'subscriptionMemoryBytes',
  'authTimeoutMs',
  'pingIntervalMs',
  'pingMax',
  'writeDeadlineMs',
  'lingerUs',
  'lossWindowMs',
  'trace',
  'traceVerbose',
  'maxTracedMsgLen',
] as const satisfies readonly (keyof BrokerOptions)[];

export type GatewayLimits = Writable<Pick<BrokerOptions, (typeof gatewayLimitNames)[number]>>;

/** What holds for WebSocket connections only. */
export type WebSocketSettings = Pick<BrokerOptions, 'wsCompression' | 'wsOrigins'>;

/** What clients give who they are by. */
export const credentialNames = [
  'user',
  'pass',
  'token',
  'sysUser',
  'sysPass',
] as const satisfies readonly (keyof BrokerOptions)[];

/** Who may come in, and who of the system account; all null lets everybody in. A password may be a bcrypt hash. */
export type Credentials = Pick<BrokerOptions, (typeof credentialNames)[number]>;

type Writable<T> = { -readonly [K in keyof T]: T[K] };
