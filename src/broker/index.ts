export { type Broker, startBroker } from './broker.js';
export type { BrokerOptions, LogLevel, Order } from './options.js';
export { OptionsError } from './options-error.js';
