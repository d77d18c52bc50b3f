import type { MessagePort } from 'node:worker_threads';
import { BrokerClient } from '../client/brokerClient.js';
import { ClientEndpoint } from '../client/endpoint.js';
import { BrokerError, ClosedError } from '../client/errors.js';
import type { FromClient, ToClient } from './clientMessages.js';

/** The API to a broker of another thread of this process, with lanes of its own. */
export class ConnectedBroker extends BrokerClient implements AsyncDisposable {
  /** Resolves when it has been closed, from here or by the broker's stop. */
  readonly closed: Promise<void>;
  readonly #endpoint: ClientEndpoint;
  readonly #port: MessagePort;

  constructor(endpoint: ClientEndpoint, port: MessagePort) {
    super(endpoint);
    this.#endpoint = endpoint;
    this.#port = port;
    this.closed = new Promise((resolve) => port.on('close', resolve));
    port.on('message', (message: ToClient) => this.#onMessage(message));
  }

  /** Waits until all that was published is in order, ends all subscriptions, and leaves. */
  async close(): Promise<void> {
    this.#endpoint.stopPublishing();
    await Promise.race([this.#endpoint.publisher.settled(), this.closed]);
    this.#endpoint.close();
    // the port is closed by the other side, once everybody has been told
    this.#post({ type: 'leave' });
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onMessage(message: ToClient): void {
    switch (message.type) {
      case 'join':
        this.#endpoint.join(message.peer);
        this.#post({ type: 'joined' });
        break;
      case 'leave':
        this.#endpoint.leave(message.endpoint);
        break;
      case 'reload':
        this.#endpoint.reload(message.settings);
        break;
      case 'stopPublishing':
        this.#endpoint.stopPublishing();
        break;
      case 'askQuiet':
        this.#post({ type: 'quiet', quiet: this.#endpoint.quiet });
        break;
      case 'close':
        this.#endpoint.close();
        this.#post({ type: 'closed' });
        break;
    }
  }

  #post(message: FromClient): void {
    this.#port.postMessage(message);
  }
}

/**
 * Connects a thread to the broker that another thread of the process has started. Until it is closed the connection keeps
 * its thread alive, as a socket would.
 *
 * @param port from `broker.port()`, transferred to this thread; it serves one connection
 * @throws rejects with BrokerError `REFUSED` when as many threads are connected as may be, ClosedError when the broker
 * has stopped
 */
export function connectBroker(port: MessagePort): Promise<ConnectedBroker> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new ClosedError());
    port.once('close', onClose);
    port.once('message', (answer: ToClient) => {
      port.off('close', onClose);
      if (answer.type === 'welcome') {
        resolve(new ConnectedBroker(new ClientEndpoint(answer.data), port));
        return;
      }
      port.close();
      reject(new BrokerError('REFUSED', answer.type === 'refused' ? answer.reason : 'the broker did not answer'));
    });
    port.postMessage({ type: 'connect' } satisfies FromClient);
  });
}
