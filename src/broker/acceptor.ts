import { lookup } from 'node:dns/promises';
import { closeSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { add, load } from '#atomics';
import { descriptorsReserved, refusedLingerMs, refusedMax } from '../base/limits.js';
import { type TallyRow, tally } from '../base/tally.js';
import type { ListenerName } from '../gateway/doors/door.js';
import { descriptorsMax, duplicateDescriptor } from '../gateway/native.js';
import { ListenError } from './listenError.js';

/** What becomes of connections. */
export interface AcceptorEvents {
  /** Hands a connection's descriptor to a gateway. */
  onPlaced(gateway: number, descriptor: number, id: number, remoteAddress: string, listener: ListenerName): void;
  /** What a client that is one too many is told before it is sent away. */
  refusal(listener: ListenerName, id: number, remoteAddress: string): string;
  /** A connection could not be taken for want of something that the system gives; `reason` says of what. */
  onShort(reason: string): void;
}

/**
 * Accepts connections on every port and places each on the gateway that has the fewest. The descriptor is duplicated and the handle
 * here destroyed, since a handle belongs to the event loop that made it (docs/decisions/0002).
 */
export class Acceptor {
  maxConnections: number;
  readonly #servers: Server[] = [];
  /** Connections by gateway; gateways count down as theirs end. */
  readonly #load: Int32Array;
  readonly #events: AcceptorEvents;
  /** Clients that are one too many, and are given the time to read so. */
  readonly #refused = new Set<Socket>();
  /** Descriptors from this number on are not for connections; 0 while that is not known. */
  #descriptorsEnd = 0;
  readonly #tally: TallyRow;
  #nextId = 1;

  /** @param row where connections are counted */
  constructor(loadMemory: SharedArrayBuffer, maxConnections: number, row: TallyRow, events: AcceptorEvents) {
    this.#tally = row;
    this.#load = new Int32Array(loadMemory);
    this.maxConnections = maxConnections;
    this.#events = events;
  }

  /** Loads what accepting needs, and asks the system; else the first connection waits for that. */
  prepare(): void {
    if (this.#descriptorsEnd > 0) return;
    const limit = descriptorsMax();
    this.#descriptorsEnd = limit - Math.min(descriptorsReserved, Math.floor(limit / 8));
  }

  /**
   * Opens all ports in one turn, in their order, so that nobody is accepted before the last one is open. Returns them, in that turn.
   *
   * @throws ListenError for one that cannot be opened
   */
  async listen(listeners: readonly (readonly [ListenerName, number])[], host: string): Promise<number[]> {
    const { address } = await lookup(host).catch((error: Error) => {
      throw new ListenError(host, listeners[0]?.[1] ?? 0, error);
    });
    return await Promise.all(
      listeners.map(([listener, port]) =>
        this.#open(listener, address, port).catch((error: Error) => {
          throw new ListenError(host, port, error);
        }),
      ),
    );
  }

  #open(listener: ListenerName, host: string, port: number): Promise<number> {
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) =>
      this.#onConnection(socket, listener),
    );
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      // not shared with other workers of a cluster, who would take this broker's clients: a second broker on a port is an error
      server.listen({ host, port, backlog: 4096, exclusive: true }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#events.onShort(error.message));
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#refused) socket.destroy();
  }

  get connections(): number {
    return this.#load.reduce((sum, _, gateway) => sum + load(this.#load, gateway), 0);
  }

  #onConnection(socket: Socket, listener: ListenerName): void {
    const id = this.#nextId++;
    const remoteAddress = socket.remoteAddress ?? '';
    socket.on('error', () => socket.destroy());
    if (this.connections >= this.maxConnections) {
      this.#tally[tally.refused]++;
      this.#refuse(socket, this.#events.refusal(listener, id, remoteAddress));
      return;
    }
    const handle = (socket as unknown as { _handle: { fd: number } | null })._handle;
    // the client has gone already
    if (handle === null) return;
    const descriptor = this.#duplicate(handle.fd);
    if (descriptor < 0) {
      this.#tally[tally.refused]++;
      this.#events.onShort('no file descriptor is left, see ulimit -n');
      socket.end(this.#events.refusal(listener, id, remoteAddress));
      socket.destroySoon();
      return;
    }
    socket.destroy();
    const gateway = this.#leastLoaded();
    add(this.#load, gateway, 1);
    this.#tally[tally.accepted]++;
    this.#events.onPlaced(gateway, descriptor, id, remoteAddress, listener);
  }

  /** As `duplicateDescriptor`, but some are left to the rest of the process: the lowest free number is the one that is given. */
  #duplicate(descriptor: number): number {
    this.prepare();
    const duplicate = duplicateDescriptor(descriptor);
    if (duplicate < this.#descriptorsEnd) return duplicate;
    closeSync(duplicate);
    return -1;
  }

  /** Tells a client why it is sent away. One that does not go is ended after a while, or when there are too many of them. */
  #refuse(socket: Socket, text: string): void {
    this.#refused.add(socket);
    const late = setTimeout(() => socket.destroy(), refusedLingerMs);
    socket.once('close', () => {
      clearTimeout(late);
      this.#refused.delete(socket);
    });
    // what it said already is thrown away: a socket closed with unread input is reset, and the reset takes the text with it
    socket.resume();
    socket.end(text);
    if (this.#refused.size > refusedMax) (this.#refused.values().next().value as Socket).destroy();
  }

  #leastLoaded(): number {
    let least = 0;
    for (let gateway = 1; gateway < this.#load.length; gateway++)
      if (load(this.#load, gateway) < load(this.#load, least)) least = gateway;
    return least;
  }
}
