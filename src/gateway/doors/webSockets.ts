import type { IncomingMessage } from 'node:http';
import { webSocketSlackBytes } from '../../base/limits.js';
import { whenNeeded } from '../../base/whenNeeded.js';
import type { Work } from '../../base/work.js';
import type { ClientCommands } from '../commands/clientCommands.js';
import type { Connection } from '../connection.js';
import type { Inlet } from '../inlet.js';
import type { Lifecycle } from '../lifecycle.js';
import type { GatewayLimits, WebSocketSettings } from '../options.js';
import type { Reading } from '../reading.js';
import type { Shares } from '../shares.js';
import type { DoorName } from './door.js';
import { WebSocketLink } from './webSocketLink.js';
import type { WebSocketStream } from './webSocketStream.js';

const http = whenNeeded<typeof import('node:http')>('node:http');
const ws = whenNeeded<typeof import('ws')>('ws');

/** What WebSockets need of the gateway around them. */
export interface WebSocketHost {
  readonly work: Work;
  readonly shares: Shares;
  readonly limits: GatewayLimits;
  readonly reading: Reading;
  readonly lifecycle: Lifecycle;
  readonly commands: ClientCommands;
  /** Memory that messages take which are not whole, in bytes. */
  readonly links: { heldBytes: number };
  /** Makes a connection, which is not known to anybody until `begin`. */
  connect(id: number, inlet: Inlet, remoteAddress: string, door: DoorName): Connection;
  begin(connection: Connection): void;
  writeFrame(connection: Connection, bytes: Uint8Array): void;
  handshakeEnded(link: WebSocketLink, reason: string): void;
}

/** Subprotocols, and the doors they lead to. A client that names none speaks NATS. */
const doorOf: ReadonlyMap<string, DoorName> = new Map([
  ['jsonl', 'jsonl-websocket'],
  ['nats', 'nats-websocket'],
]);

/** Each message is inflated by itself: nothing is kept between them. */
const inflateOnly = { serverNoContextTakeover: true, clientNoContextTakeover: true, concurrencyLimit: 4 };

/** The handshakes of one gateway's WebSocket clients. */
export class WebSockets {
  settings: WebSocketSettings;
  readonly #host: WebSocketHost;
  /** Clients of which no connection has come yet. */
  readonly #handshakes = new Set<WebSocketLink>();
  /** Never listens: connections are given to it. */
  readonly #http = http().createServer();
  readonly #upgrader = new (ws().WebSocketServer)({
    noServer: true,
    clientTracking: false,
    // `ws` ends a connection without a word when it has more than a few pings to answer
    autoPong: false,
    handleProtocols: (offered) => [...offered].find((name) => doorOf.has(name)) ?? false,
  });

  constructor(settings: WebSocketSettings, host: WebSocketHost) {
    this.settings = settings;
    this.#host = host;
    this.#http.on('request', (request, response) => {
      (request.socket as unknown as WebSocketStream).owner.onRefused();
      const text = 'this port speaks WebSocket, with NATS inside, or JSON lines under the subprotocol jsonl\n';
      response.writeHead(426, { Upgrade: 'websocket', Connection: 'close, Upgrade', 'Content-Type': 'text/plain' });
      response.end(text);
    });
    this.#http.on('connect', (_, stream) => stream.end(httpError('405 Method Not Allowed', 'this is no proxy')));
    this.#http.on('upgrade', (request, stream, head) => this.#onUpgrade(request, stream as WebSocketStream, head));
  }

  begin(inlet: Inlet, id: number, remoteAddress: string): void {
    const link = new WebSocketLink(inlet, id, remoteAddress, this.#host);
    this.#handshakes.add(link);
    this.#http.emit('connection', link.stream);
  }

  /** No connection comes, or came, of the handshake any more. */
  forget(link: WebSocketLink): void {
    this.#handshakes.delete(link);
  }

  get handshakes(): number {
    return this.#handshakes.size;
  }

  /** Ends all handshakes. */
  abortAll(reason: string): void {
    for (const link of this.#handshakes) link.abort(reason);
  }

  #onUpgrade(request: IncomingMessage, stream: WebSocketStream, head: Buffer): void {
    const link = stream.owner as WebSocketLink;
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      stream.end(refusal);
      return;
    }
    const options = this.#upgrader.options;
    options.maxPayload = 2 * this.#host.limits.maxPayloadBytes + webSocketSlackBytes;
    options.perMessageDeflate = this.settings.wsCompression ? inflateOnly : false;
    link.upgrade(() =>
      this.#upgrader.handleUpgrade(request, stream, head, (socket) => {
        this.forget(link);
        link.upgraded(socket, doorOf.get(socket.protocol) ?? 'nats-websocket', head);
      }),
    );
  }

  #refusal({ headers, httpVersion }: IncomingMessage): string | null {
    const { wsOrigins } = this.settings;
    if (headers.host === undefined && httpVersion === '1.1')
      return httpError('400 Bad Request', 'missing required Host header');
    // only browsers say where they come from, and only they can be led here by somebody else's page
    if (wsOrigins.length > 0 && headers.origin !== undefined && !wsOrigins.includes(headers.origin))
      return httpError('403 Forbidden', 'this origin may not connect; see --ws-origin');
    // `ws` looks at all else, but takes version 8, too
    if ((headers['sec-websocket-version'] ?? '13') !== '13')
      return httpError('400 Bad Request', 'this is WebSocket version 13');
    const offered = headers['sec-websocket-protocol'];
    if (offered === undefined || offered.split(',').some((name) => doorOf.has(name.trim()))) return null;
    return httpError('400 Bad Request', `offer one of the subprotocols ${[...doorOf.keys()].join(', ')}, or none`);
  }
}

function httpError(status: string, text: string): string {
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}
