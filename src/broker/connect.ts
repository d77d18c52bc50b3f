import { MessagePort } from 'node:worker_threads';
import { BrokerClient } from '../client/brokerClient.js';
import { ClientEndpoint } from '../client/endpoint.js';
import { ArgumentError, BrokerError, ClosedError } from '../client/errors.js';
import { answerCall, type CallHandlers } from './calls.js';
import type { ClientCalls, FromClient, ToClient } from './clientMessages.js';

/** The API to a broker of another thread of this process, with lanes of its own. */
export class ConnectedBroker extends BrokerClient implements AsyncDisposable {
  /** Resolves when it has been closed, from here or by the broker's stop. */
  readonly closed: Promise<void>;
  readonly #endpoint: ClientEndpoint;
  readonly #port: MessagePort;
  #closing: Promise<void> | null = null;
  readonly #calls: CallHandlers<ClientCalls> = {
    join: (peer) => this.#endpoint.join(peer),
    unrest: () => this.#endpoint.unrest,
    close: () => this.#endpoint.close(),
  };

  /** @internal */
  constructor(endpoint: ClientEndpoint, port: MessagePort) {
    super(endpoint);
    this.#endpoint = endpoint;
    this.#port = port;
    this.closed = new Promise((resolve) => port.on('close', resolve));
    port.on('message', (message: ToClient) => this.#onMessage(message));
  }

  /**
   * Ends all subscriptions, waits until handlers have finished and all that was published is in order, at most the
   * broker's `drainTimeoutMs`, and leaves. May be called again, and while the broker stops.
   */
  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #leave(): Promise<void> {
    await Promise.race([this.#endpoint.finish(), this.closed]);
    this.#endpoint.close();
    // the port is closed by the other side, once everybody has been told
    this.#post({ type: 'leave' });
    await this.closed;
  }

  #onMessage(message: ToClient): void {
    switch (message.type) {
      case 'call':
        answerCall(this.#calls, message, (answer) => this.#post(answer));
        break;
      case 'leave':
        this.#endpoint.leave(message.endpoint);
        break;
      case 'reload':
        this.#endpoint.reload(message.settings);
        break;
      case 'beginStop':
        this.#endpoint.beginStop();
        break;
      case 'stopPublishing':
        this.#endpoint.stopPublishing();
        break;
    }
  }

  #post(message: FromClient): void {
    this.#port.postMessage(message);
  }
}

/** See `start.ts`. */
export function connectBroker(port: MessagePort): Promise<ConnectedBroker> {
  if (!(port instanceof MessagePort))
    return Promise.reject(
      new ArgumentError('connectBroker takes the port that broker.port() gave, transferred to this thread'),
    );
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
