import type { MessagePort } from 'node:worker_threads';
import type { ClientEndpoint, EndpointData } from '../client/endpoint.js';
import type { EndpointSettings } from '../client/endpointSettings.js';
import { addEndpoint, memoryOf, type PeerMemory, removeEndpoint } from '../exchange/memory.js';
import { Calls } from './calls.js';
import type { ClientCalls, FromClient, ToClient } from './clientMessages.js';
import type { ShardWorker } from './shardWorker.js';
import type { PostedSpanWay } from './telemetry.js';

/** An endpoint of this process without a shard: of this thread, or of one that connected. */
interface Client {
  join(peer: PeerMemory): Promise<unknown>;
  leave(endpoint: number): void;
  reload(settings: EndpointSettings): void;
  beginStop(): void;
  stopPublishing(): void;
  /** What is not done yet; null when all is, or the thread is gone. */
  unrest(): Promise<string | null>;
  close(): Promise<void>;
}

/** How long a thread may take to end its subscriptions at a stop, in milliseconds. */
const closeMs = 1_000;

type Shared = Omit<EndpointData, 'self' | 'opening' | 'spans' | keyof EndpointSettings>;
/** What an endpoint is given; it can be posted. */
type PostedData = EndpointData & { readonly spans: PostedSpanWay | null };

/** Endpoints of the process's own threads: lets them come and go, and has them take part in a stop. */
export class ClientHub {
  readonly #shared: Shared;
  readonly #workers: readonly ShardWorker[];
  readonly #settings: () => EndpointSettings;
  readonly #makeWay: () => PostedSpanWay | null;
  readonly #clients = new Map<number, Client>();
  /** Comings and goings, one after the other: who comes must be told of everybody, and everybody of who comes. */
  #changes: Promise<unknown> = Promise.resolve();
  /** By endpoint: what its client said when it was last asked whether all was done, and it was not. */
  readonly #unrest = new Map<number, string>();
  #opened = 0;
  #closed = false;

  /** @param makeWay makes a way for spans of one thread; where there are none null */
  constructor(
    shared: Shared,
    workers: readonly ShardWorker[],
    settings: () => EndpointSettings,
    makeWay: () => PostedSpanWay | null,
  ) {
    this.#makeWay = makeWay;
    this.#shared = shared;
    this.#workers = workers;
    this.#settings = settings;
  }

  /** Makes an endpoint for the calling thread, which brings the means: a broker without one need not load them. */
  openHere(make: (data: EndpointData) => ClientEndpoint): Promise<ClientEndpoint> {
    return this.#inTurn(async () => {
      const { self, joined } = this.#admit();
      await joined;
      const endpoint = make(this.#dataOf(self));
      this.#clients.set(self, new LocalClient(endpoint));
      return endpoint;
    });
  }

  /** Serves a thread that has the port's other end: it may connect once. */
  serve(port: MessagePort): void {
    const client = new RemoteClient(port, (self) => this.#inTurn(() => this.#remove(self, client)));
    port.unref();
    client.onConnect = () => {
      // whoever connects waits for an answer: a mistake of ours is told, too
      this.#inTurn(() => this.#connect(client)).catch((error) => client.refuse(`the broker failed: ${error}`));
    };
  }

  reload(): void {
    const settings = this.#settings();
    for (const client of this.#clients.values()) client.reload(settings);
  }

  /** Lets nobody in any more; only handlers at work may still publish. */
  beginStop(): void {
    this.#closed = true;
    for (const client of this.#clients.values()) client.beginStop();
  }

  stopPublishing(): void {
    for (const client of this.#clients.values()) client.stopPublishing();
  }

  /** Whether nothing is on its way from or to any client, and no handler at work. */
  async askQuiet(): Promise<boolean> {
    const unrests = await Promise.all([...this.#clients].map(([endpoint, client]) => this.#ask(endpoint, client)));
    return unrests.every((unrest) => unrest === null);
  }

  /** What was not done when each client was last asked. */
  get unrest(): string[] {
    return [...this.#unrest.values()];
  }

  /** Ends every client's subscriptions; what they have buffered they still give. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    this.#clients.clear();
  }

  async #ask(endpoint: number, client: Client): Promise<string | null> {
    this.#unrest.set(endpoint, `thread ${endpoint - this.#shared.shards} does not answer`);
    const unrest = await client.unrest();
    if (unrest === null) this.#unrest.delete(endpoint);
    else this.#unrest.set(endpoint, unrest);
    return unrest;
  }

  async #connect(client: RemoteClient): Promise<void> {
    if (this.#closed) {
      client.leaveAlone();
      return;
    }
    if (this.#freeEndpoint() < 0) {
      client.refuse(`no more than ${this.#shared.endpoints - this.#shared.shards - 1} threads may connect (clients)`);
      return;
    }
    const { self, joined } = this.#admit();
    await joined;
    // the broker may have begun to stop while everybody made ready for it
    if (this.#closed) {
      client.leaveAlone();
      await this.#forget(self);
      return;
    }
    client.welcome(self, this.#dataOf(self));
    this.#clients.set(self, client);
  }

  /** Makes the lanes of a new endpoint and has everybody tell it what they want. */
  #admit(): { self: number; joined: Promise<unknown> } {
    const self = this.#freeEndpoint();
    const { exchange, shards } = this.#shared;
    const answers: Promise<unknown>[] = [];
    for (const [other, peer] of addEndpoint(exchange, self)) {
      if (other < shards) {
        answers.push(this.#workers[other].call('join', peer));
      } else {
        answers.push(this.#clients.get(other)!.join(peer));
      }
    }
    return { self, joined: Promise.all(answers) };
  }

  /** It may be told twice that a client is gone, and who came meanwhile has its endpoint. */
  async #remove(self: number, client: RemoteClient): Promise<void> {
    if (this.#clients.get(self) !== client) return;
    this.#clients.delete(self);
    this.#unrest.delete(self);
    await this.#forget(self);
  }

  /** Has everybody forget an endpoint, so that what is written to it is not waited for. */
  async #forget(self: number): Promise<void> {
    removeEndpoint(this.#shared.exchange, self);
    // first the shards, so that none speaks of it any more when the others forget it
    await Promise.all(this.#workers.map((worker) => worker.call('leave', self)));
    for (const client of this.#clients.values()) client.leave(self);
  }

  #freeEndpoint(): number {
    for (let endpoint = this.#shared.shards; endpoint < this.#shared.endpoints; endpoint++)
      if (!this.#clients.has(endpoint)) return endpoint;
    return -1;
  }

  #dataOf(self: number): PostedData {
    const exchange = memoryOf(this.#shared.exchange, self);
    return { self, opening: this.#opened++, ...this.#shared, exchange, ...this.#settings(), spans: this.#makeWay() };
  }

  #inTurn<R>(change: () => Promise<R>): Promise<R> {
    const changed = this.#changes.then(change);
    this.#changes = changed.catch(() => {});
    return changed;
  }
}

class LocalClient implements Client {
  readonly #endpoint: ClientEndpoint;

  constructor(endpoint: ClientEndpoint) {
    this.#endpoint = endpoint;
  }

  async join(peer: PeerMemory): Promise<void> {
    this.#endpoint.join(peer);
  }

  leave(endpoint: number): void {
    this.#endpoint.leave(endpoint);
  }

  reload(settings: EndpointSettings): void {
    this.#endpoint.reload(settings);
  }

  beginStop(): void {
    this.#endpoint.beginStop();
  }

  stopPublishing(): void {
    this.#endpoint.stopPublishing();
  }

  async unrest(): Promise<string | null> {
    return this.#endpoint.unrest;
  }

  async close(): Promise<void> {
    this.#endpoint.close();
  }
}

/** A thread that has connected, over the port that it was given. */
class RemoteClient implements Client {
  onConnect: () => void = () => {};
  readonly #port: MessagePort;
  readonly #calls = new Calls<ClientCalls>((call) => this.#post(call));
  readonly #onGone: (self: number) => Promise<void>;
  #self = -1;
  #gone = false;

  constructor(port: MessagePort, onGone: (self: number) => Promise<void>) {
    this.#port = port;
    this.#onGone = onGone;
    port.on('message', (message: FromClient) => this.#onMessage(message));
    port.on('close', () => this.#onClose());
  }

  welcome(self: number, data: PostedData): void {
    this.#self = self;
    this.#post({ type: 'welcome', data }, data.spans === null ? [] : [data.spans.port]);
    // it may have ended while everybody made ready for it
    if (this.#gone) this.#onGone(self);
  }

  /** The broker has stopped. */
  leaveAlone(): void {
    this.#port.close();
  }

  refuse(reason: string): void {
    this.#post({ type: 'refused', reason });
  }

  join(peer: PeerMemory): Promise<unknown> {
    return this.#calls.call('join', peer);
  }

  leave(endpoint: number): void {
    this.#post({ type: 'leave', endpoint });
  }

  reload(settings: EndpointSettings): void {
    this.#post({ type: 'reload', settings });
  }

  beginStop(): void {
    this.#post({ type: 'beginStop' });
  }

  stopPublishing(): void {
    this.#post({ type: 'stopPublishing' });
  }

  unrest(): Promise<string | null> {
    return this.#calls.call('unrest');
  }

  async close(): Promise<void> {
    // a thread that does not get round to it is not waited for
    const late = setTimeout(() => this.#port.close(), closeMs);
    await this.#calls.call('close');
    clearTimeout(late);
    this.#port.close();
  }

  #onMessage(message: FromClient): void {
    if (message.type === 'answer') this.#calls.onAnswer(message);
    else if (message.type === 'connect') this.onConnect();
    else this.#onGone(this.#self).then(() => this.#port.close());
  }

  #onClose(): void {
    this.#gone = true;
    this.#calls.abandon();
    if (this.#self >= 0) this.#onGone(this.#self);
  }

  #post(message: ToClient, transfer: MessagePort[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}
