import type { BrokerOptions } from './brokerOptions.js';

/** Those of the options that a part of the broker needs. */
export function pick<K extends keyof BrokerOptions>(
  options: BrokerOptions,
  names: readonly K[],
): Pick<BrokerOptions, K> {
  return Object.fromEntries(names.map((name) => [name, options[name]])) as Pick<BrokerOptions, K>;
}
