import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import koffi from 'koffi';
import { add, load } from '#atomics';
import type { ListenerName } from '../gateway/doors/door.js';
import { ListenError } from './listen-error.js';

const duplicateDescriptor = koffi.load(null).func('int dup(int descriptor)');

/** Hands a connection's descriptor to a gateway. */
export type PlaceConnection = (
  gateway: number,
  descriptor: number,
  id: number,
  remoteAddress: string,
  listener: ListenerName,
) => void;

/** What a client that is one too many is told before it is sent away. */
export type RefuseConnection = (listener: ListenerName, id: number, remoteAddress: string) => string;

/**
 * Accepts connections on every port and places each on the gateway that has the fewest. The descriptor is duplicated and the handle
 * here destroyed, since a handle belongs to the event loop that made it (docs/decisions/0002).
 */
export class Acceptor {
  maxConnections: number;
  readonly #servers: Server[] = [];
  /** Connections by gateway; gateways count down as theirs end. */
  readonly #load: Int32Array;
  readonly #place: PlaceConnection;
  readonly #refuse: RefuseConnection;
  #nextId = 1;

  constructor(loadMemory: SharedArrayBuffer, maxConnections: number, place: PlaceConnection, refuse: RefuseConnection) {
    this.#load = new Int32Array(loadMemory);
    this.maxConnections = maxConnections;
    this.#place = place;
    this.#refuse = refuse;
  }

  /** Listens; returns the port. Rejects with ListenError. */
  listen(listener: ListenerName, host: string, port: number): Promise<number> {
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) =>
      this.#onConnection(socket, listener),
    );
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(new ListenError(host, port, error));
      server.once('error', onError);
      // not shared with other workers of a cluster, who would take this broker's clients: a second broker on a port is an error
      server.listen({ host, port, backlog: 4096, exclusive: true }, () => {
        server.off('error', onError);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }

  get connections(): number {
    return this.#load.reduce((sum, _, gateway) => sum + load(this.#load, gateway), 0);
  }

  #onConnection(socket: Socket, listener: ListenerName): void {
    const id = this.#nextId++;
    const remoteAddress = socket.remoteAddress ?? '';
    socket.on('error', () => socket.destroy());
    if (this.connections >= this.maxConnections) {
      socket.end(this.#refuse(listener, id, remoteAddress));
      return;
    }
    const handle = (socket as unknown as { _handle: { fd: number } | null })._handle;
    const descriptor = handle === null ? -1 : (duplicateDescriptor(handle.fd) as number);
    socket.destroy();
    // the client has gone already, or the process is out of descriptors: either way there is nobody to tell
    if (descriptor < 0) return;
    const gateway = this.#leastLoaded();
    add(this.#load, gateway, 1);
    this.#place(gateway, descriptor, id, remoteAddress, listener);
  }

  #leastLoaded(): number {
    let least = 0;
    for (let gateway = 1; gateway < this.#load.length; gateway++)
      if (load(this.#load, gateway) < load(this.#load, least)) least = gateway;
    return least;
  }
}
