import type { Broker, ConnectedBroker } from 'shardcast';
import type { ToClient } from '../../src/broker/clientMessages.js';
import type { EndpointData } from '../../src/client/endpoint.js';
import type { Rights } from '../../src/router/rights.js';
import { closeAfterTest } from './residents.js';

const compiled = (path: string) => import(new URL(`../../dist/src/${path}`, import.meta.url).href);
const connect = (await compiled('broker/connect.js')) as typeof import('../../src/broker/connect.js');
const { ClientEndpoint } = (await compiled('client/endpoint.js')) as typeof import('../../src/client/endpoint.js');

/** An end of the broker in this process, as `connectBroker` gives one, that is made with other data or has less rights; closed after the test. */
export async function connected(
  broker: Broker,
  change: Partial<EndpointData>,
  rights: Rights | null,
): Promise<ConnectedBroker> {
  const port = broker.port();
  const welcome = new Promise<ToClient>((resolve) => port.once('message', resolve));
  port.postMessage({ type: 'connect' });
  const answer = await welcome;
  if (answer.type !== 'welcome') throw new Error(`the broker answered ${answer.type}`);
  const end = new connect.ConnectedBroker(new ClientEndpoint({ ...answer.data, ...change }, rights), port);
  closeAfterTest(() => end.close());
  return end as unknown as ConnectedBroker;
}
