import type { Broker, ConnectedBroker } from 'shardcast';
import type { ToClient } from '../../src/broker/clientMessages.js';
import { closeAfterTest } from '../harness/residents.js';
import { limited } from './denied.js';

const compiled = (path: string) => import(new URL(`../../dist/src/${path}`, import.meta.url).href);
const connect = (await compiled('broker/connect.js')) as typeof import('../../src/broker/connect.js');
const { ClientEndpoint } = (await compiled('client/endpoint.js')) as typeof import('../../src/client/endpoint.js');

/** An end of the broker in this process that may not do everything, as `connectBroker` gives one that may; closed after the test. */
export async function limitedBroker(broker: Broker): Promise<ConnectedBroker> {
  const port = broker.port();
  const welcome = new Promise<ToClient>((resolve) => port.once('message', resolve));
  port.postMessage({ type: 'connect' });
  const answer = await welcome;
  if (answer.type !== 'welcome') throw new Error(`the broker answered ${answer.type}`);
  const connected = new connect.ConnectedBroker(new ClientEndpoint(answer.data, limited), port);
  closeAfterTest(() => connected.close());
  return connected as unknown as ConnectedBroker;
}
