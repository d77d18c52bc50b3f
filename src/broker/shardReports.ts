import type { MessagePort } from 'node:worker_threads';
import { sub } from '#atomics';
import { loggedNameMax } from '../base/limits.js';
import type { Connection } from '../gateway/connection.js';
import type { EndedConnection, GatewayEvents } from '../gateway/gateway.js';
import type { MemoryCause } from '../gateway/memoryPressure.js';
import type { Subscription } from '../gateway/subscription.js';
import type { LastValues } from '../shard/lastValues.js';
import type { SystemEvents } from './systemEvents.js';
import type { FromShard, ShardEvent } from './threadMessages.js';

/** Tells the main thread what happens on a shard's thread: for the log, and for whoever counts connections. */
export class ShardReports implements GatewayEvents {
  readonly #self: number;
  readonly #port: MessagePort;
  /** Connections of each thread. */
  readonly #load: Int32Array;
  readonly #onEnded: () => void;
  /** Tells in the system account; null where there is none. */
  system: SystemEvents | null = null;
  #slowConsumers = 0;
  /** What has happened, and was not told yet. */
  #events: ShardEvent[] = [];
  /** Whether it has been said that last values do not all fit: once is enough. */
  #toldOfLastValues = false;

  /** @param onEnded called whenever a connection has ended */
  constructor(self: number, port: MessagePort, load: Int32Array, onEnded: () => void) {
    this.#self = self;
    this.#port = port;
    this.#load = load;
    this.#onEnded = onEnded;
  }

  onClosed(ended: EndedConnection): void {
    this.system?.onClosed(ended);
    const { id, remoteAddress, closeReason, traffic, options, login } = ended;
    sub(this.#load, this.#self, 1);
    const { name = '', user = null } = login?.refused ?? options ?? {};
    const named = { name: name.slice(0, loggedNameMax), user: user?.slice(0, loggedNameMax) ?? null };
    const { inBytes = 0, outBytes = 0, startMs = Date.now() } = traffic ?? {};
    const did = { inBytes, outBytes, seconds: (Date.now() - startMs) / 1000 };
    this.#send({ type: 'closed', connection: id, remoteAddress, ...named, reason: closeReason, ...did });
    this.#onEnded();
  }

  onConnected(connection: Connection): void {
    this.system?.onConnected(connection);
  }

  onSlowConsumer({ id, remoteAddress, options }: Connection, pendingBytes: number): void {
    const total = ++this.#slowConsumers;
    this.#send({ type: 'slowConsumer', connection: id, remoteAddress, name: options.name, pendingBytes, total });
  }

  onBlockSpent({ id, remoteAddress, options }: Connection): void {
    this.#send({ type: 'blockSpent', connection: id, remoteAddress, name: options.name });
  }

  onLosing({ connection, subject, slow }: Subscription, dropped: number, delivered: number): void {
    const { id, remoteAddress, options } = connection;
    const policy = slow?.policy ?? '';
    const who = { connection: id, remoteAddress, name: options.name, subject, policy };
    this.#send({ type: 'losing', ...who, dropped, delivered });
  }

  onLettersLost(denied: number, lost: number, deniedSubject: string): void {
    this.#send({ type: 'lettersLost', denied, lost, deniedSubject });
  }

  onMemoryFull({ id, remoteAddress, options }: Connection, cause: MemoryCause): void {
    this.#send({ type: 'memoryFull', connection: id, remoteAddress, name: options.name, ...cause });
  }

  onUnverified(error: unknown): void {
    this.#send({ type: 'unverified', reason: String(error) });
  }

  /** Looks whether last values had to go for want of room. */
  reviewLastValues({ evicted, refused, size: kept, bytes }: LastValues): void {
    if (this.#toldOfLastValues || evicted + refused === 0) return;
    this.#toldOfLastValues = true;
    this.#send({ type: 'lastValuesFull', shard: this.#self, kept, bytes, evicted, refused });
  }

  /** What happens between two looks at sockets is told in one message: to post one takes as long as to end a connection. */
  #send(event: ShardEvent): void {
    if (this.#events.push(event) === 1) setImmediate(() => this.#tell());
  }

  #tell(): void {
    const message: FromShard = { type: 'events', events: this.#events };
    this.#events = [];
    this.#port.postMessage(message);
  }
}
