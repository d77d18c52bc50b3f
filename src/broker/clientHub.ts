import type { MessagePort } from 'node:worker_threads';
import { ClientEndpoint, type EndpointData, type EndpointSettings } from '../client/endpoint.js';
import { addEndpoint, memoryOf, type PeerMemory, removeEndpoint } from '../exchange/memory.js';
import type { FromClient, ToClient } from './clientMessages.js';
import type { ShardWorker } from './shardWorker.js';

/** An endpoint of this process without a shard: of this thread, or of one that connected. */
interface Client {
  join(peer: PeerMemory): Promise<void>;
  leave(endpoint: number): void;
  reload(settings: EndpointSettings): void;
  stopPublishing(): void;
  askQuiet(): Promise<boolean>;
  close(): Promise<void>;
}

/** How long a thread may take to end its subscriptions at a stop, in milliseconds. */
const closeMs = 1_000;

type Shared = Omit<EndpointData, 'self' | 'opening' | keyof EndpointSettings>;

/** Endpoints of the process's own threads: lets them come and go, and has them take part in a stop. */
export class ClientHub {
  readonly #shared: Shared;
  readonly #workers: readonly ShardWorker[];
  readonly #settings: () => EndpointSettings;
  readonly #clients = new Map<number, Client>();
  /** Comings and goings, one after the other: who comes must be told of everybody, and everybody of who comes. */
  #changes: Promise<unknown> = Promise.resolve();
  #opened = 0;
  #closed = false;

  constructor(shared: Shared, workers: readonly ShardWorker[], settings: () => EndpointSettings) {
    this.#shared = shared;
    this.#workers = workers;
    this.#settings = settings;
  }

  /** Makes an endpoint for the calling thread. */
  openHere(): Promise<ClientEndpoint> {
    return this.#inTurn(async () => {
      const { self, joined } = this.#admit();
      await joined;
      const endpoint = new ClientEndpoint(this.#dataOf(self));
      this.#clients.set(self, new LocalClient(endpoint));
      return endpoint;
    });
  }

  /** Serves a thread that has the port's other end: it may connect once. */
  serve(port: MessagePort): void {
    const client = new RemoteClient(port, (self) => this.#inTurn(() => this.#remove(self)));
    port.unref();
    client.onConnect = () => void this.#inTurn(() => this.#connect(client));
  }

  reload(): void {
    const settings = this.#settings();
    for (const client of this.#clients.values()) client.reload(settings);
  }

  stopPublishing(): void {
    this.#closed = true;
    for (const client of this.#clients.values()) client.stopPublishing();
  }

  async askQuiet(): Promise<boolean> {
    const states = await Promise.all([...this.#clients.values()].map((client) => client.askQuiet()));
    return states.every((quiet) => quiet);
  }

  /** Ends every client's subscriptions; what they have buffered they still give. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    this.#clients.clear();
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
        answers.push(this.#workers[other].next('joined'));
        this.#workers[other].post({ type: 'join', peer });
      } else {
        answers.push(this.#clients.get(other)!.join(peer));
      }
    }
    return { self, joined: Promise.all(answers) };
  }

  async #remove(self: number): Promise<void> {
    if (!this.#clients.delete(self)) return;
    removeEndpoint(this.#shared.exchange, self);
    const left = this.#closed ? [] : this.#workers.map((worker) => worker.next('left'));
    for (const worker of this.#workers) worker.post({ type: 'leave', endpoint: self });
    // first the shards, so that none speaks of it any more when the others forget it
    await Promise.all(left);
    for (const client of this.#clients.values()) client.leave(self);
  }

  #freeEndpoint(): number {
    for (let endpoint = this.#shared.shards; endpoint < this.#shared.endpoints; endpoint++)
      if (!this.#clients.has(endpoint)) return endpoint;
    return -1;
  }

  #dataOf(self: number): EndpointData {
    const exchange = memoryOf(this.#shared.exchange, self);
    return { self, opening: this.#opened++, ...this.#shared, exchange, ...this.#settings() };
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

  stopPublishing(): void {
    this.#endpoint.stopPublishing();
  }

  async askQuiet(): Promise<boolean> {
    return this.#endpoint.quiet;
  }

  async close(): Promise<void> {
    this.#endpoint.close();
  }
}

/** A thread that has connected, over the port that it was given. */
class RemoteClient implements Client {
  onConnect: () => void = () => {};
  readonly #port: MessagePort;
  readonly #waiting = new Map<FromClient['type'], ((message: FromClient) => void)[]>();
  readonly #onGone: (self: number) => Promise<void>;
  #self = -1;
  #gone = false;

  constructor(port: MessagePort, onGone: (self: number) => Promise<void>) {
    this.#port = port;
    this.#onGone = onGone;
    port.on('message', (message: FromClient) => this.#onMessage(message));
    port.on('close', () => this.#onClose());
  }

  welcome(self: number, data: EndpointData): void {
    this.#self = self;
    this.#post({ type: 'welcome', data });
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

  async join(peer: PeerMemory): Promise<void> {
    await this.#ask({ type: 'join', peer }, 'joined');
  }

  leave(endpoint: number): void {
    this.#post({ type: 'leave', endpoint });
  }

  reload(settings: EndpointSettings): void {
    this.#post({ type: 'reload', settings });
  }

  stopPublishing(): void {
    this.#post({ type: 'stopPublishing' });
  }

  async askQuiet(): Promise<boolean> {
    const answer = await this.#ask({ type: 'askQuiet' }, 'quiet');
    return answer === null || (answer as Extract<FromClient, { type: 'quiet' }>).quiet;
  }

  async close(): Promise<void> {
    // a thread that does not get round to it is not waited for
    const late = setTimeout(() => this.#port.close(), closeMs);
    await this.#ask({ type: 'close' }, 'closed');
    clearTimeout(late);
    this.#port.close();
  }

  /** The answer to a question, null when the thread is gone. */
  #ask(question: ToClient, answer: FromClient['type']): Promise<FromClient | null> {
    if (this.#gone) return Promise.resolve(null);
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(answer) ?? [];
      waiting.push(resolve);
      this.#waiting.set(answer, waiting);
      this.#post(question);
    });
  }

  #onMessage(message: FromClient): void {
    if (message.type === 'connect') this.onConnect();
    else if (message.type === 'leave') this.#onGone(this.#self).then(() => this.#port.close());
    else this.#waiting.get(message.type)?.shift()?.(message);
  }

  #onClose(): void {
    this.#gone = true;
    for (const waiting of this.#waiting.values())
      for (const resolve of waiting.splice(0)) (resolve as (message: FromClient | null) => void)(null);
    if (this.#self >= 0) this.#onGone(this.#self);
  }

  #post(message: ToClient): void {
    this.#port.postMessage(message);
  }
}
