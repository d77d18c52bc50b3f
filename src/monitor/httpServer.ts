import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  monitorAnswerMs,
  monitorConnectionsMax,
  monitorHeaderBytesMax,
  monitorIdleMs,
  monitorRequestMs,
  monitorStalledMs,
} from '../base/limits.js';
import { type GivenCredentials, isForLoopback, readAuthorization } from './access.js';
import type { Answer } from './answer.js';
import type { AnswerTurns } from './answerTurns.js';
import { type Endpoint, endpoints } from './endpoints.js';
import { landingPage } from './landing.js';
import { Query, RequestError } from './query.js';
import type { Sources } from './sources.js';

/** Who may ask. */
export interface Door {
  /** Whether somebody has to say who it is. */
  readonly required: boolean;
  /** Whether what a request says lets it in. Rejects when that cannot be told. */
  verify(
    given: GivenCredentials,
    request: { readonly remoteAddress: string; readonly state: 'open' | 'closed' },
  ): boolean | Promise<boolean>;
}

export interface MonitorSite {
  readonly sources: Sources;
  /** As it is now: a reload may change it. */
  door(): Door;
  /** Whether nobody but this machine reaches the port. */
  readonly isLoopback: boolean;
  readonly turns: AnswerTurns;
  /** How often it was asked for what. */
  readonly requests: Map<string, number>;
  /** Somebody gave wrong credentials. */
  onWrongCredentials(remoteAddress: string): void;
}

/**
 * The monitoring port. What it answers is put together one request behind the other: as much memory as one of them takes is enough, and however many
 * ask, the broker's threads are asked as one does.
 */
export class MonitorServer {
  readonly #site: MonitorSite;
  readonly #server: Server;

  constructor(site: MonitorSite) {
    this.#site = site;
    this.#server = createServer(
      {
        maxHeaderSize: monitorHeaderBytesMax,
        headersTimeout: monitorRequestMs,
        requestTimeout: monitorRequestMs,
        keepAliveTimeout: monitorIdleMs,
        connectionsCheckingInterval: monitorRequestMs / 5,
      },
      (request, response) => void this.#onRequest(request, response),
    );
    this.#server.maxConnections = monitorConnectionsMax;
  }

  /** Resolves with the port. @throws rejects with the system's error */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', () => {});
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // whatever stands behind the headers is not looked at
    request.resume();
    letGoWhenStalled(response);
    try {
      await this.#admit(request);
      const { endpoint, query } = this.#find(request);
      if (endpoint === null) sendPage(response, landingPage());
      else await this.#site.turns.run(() => this.#answer(response, endpoint, query));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      refuse(response, error);
    }
  }

  /** @throws RequestError for whoever may not ask */
  async #admit({ method, headers, socket }: IncomingMessage): Promise<void> {
    if (this.#site.isLoopback && !isForLoopback(headers.host))
      throw new RequestError(403, 'this port is asked by the name of another host');
    const door = this.#site.door();
    if (door.required) {
      const attempt = {
        remoteAddress: socket.remoteAddress ?? '',
        get state() {
          return socket.destroyed ? 'closed' : 'open';
        },
      } as const;
      const isRight = await Promise.resolve(door.verify(readAuthorization(headers.authorization), attempt)).catch(
        () => false,
      );
      if (!isRight) {
        if (headers.authorization !== undefined) this.#site.onWrongCredentials(attempt.remoteAddress);
        throw new RequestError(401, 'credentials are needed, or wrong');
      }
    }
    if (method !== 'GET' && method !== 'HEAD') throw new RequestError(405, 'only GET and HEAD are answered');
  }

  /** @throws RequestError for a path that is not there */
  #find({ url = '/' }: IncomingMessage): { endpoint: Endpoint | null; query: Query } {
    const [path, text = ''] = url.split(/\?(.*)/s, 2) as [string, string?];
    const endpoint = path === '/' ? null : endpoints.get(path);
    if (endpoint === undefined) throw new RequestError(404, '404 page not found');
    const { requests } = this.#site;
    requests.set(path, (requests.get(path) ?? 0) + 1);
    return { endpoint, query: new Query(new URLSearchParams(text)) };
  }

  async #answer(response: ServerResponse, endpoint: Endpoint, query: Query): Promise<void> {
    // it has gone while it waited
    if (response.destroyed) return;
    const late = setTimeout(() => response.destroy(), monitorAnswerMs);
    try {
      await send(response, await endpoint(this.#site.sources, query));
    } finally {
      clearTimeout(late);
    }
  }
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  const contentType = 'text' in answer ? answer.contentType : 'application/json';
  response.writeHead(answer.status, { 'Content-Type': contentType, 'X-Content-Type-Options': 'nosniff' });
  if ('text' in answer) {
    response.end(answer.text);
    return;
  }
  if ('value' in answer) {
    response.end(JSON.stringify(answer.value, null, answer.indent ? 2 : undefined));
    return;
  }
  let text = '';
  for await (const piece of answer.pieces) {
    if (response.destroyed) return;
    text += piece;
    if (text.length < writeChars) continue;
    if (!response.write(text)) await drained(response);
    text = '';
  }
  response.end(text);
}

/** So much text is written at a time, in characters. */
const writeChars = 64 * 1024;

/** Ends the connection when nothing of what waits for it is taken any more. An answer that is not there yet may take its time. */
function letGoWhenStalled(response: ServerResponse): void {
  response.setTimeout(monitorStalledMs, () => {
    if (response.socket !== null && response.socket.writableLength > 0) response.destroy();
  });
}

/** Resolves when more may be written, or nobody is there any more. */
async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      response.off('drain', goOn);
      response.off('close', goOn);
      resolve();
    };
    response.on('drain', goOn);
    response.on('close', goOn);
  });
}

function sendPage(response: ServerResponse, html: string): void {
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
  });
  response.end(html);
}

const headersOf: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'Basic realm="shardcast"' },
  // its body would have to be read for another request to follow
  405: { Allow: 'GET, HEAD', Connection: 'close' },
};

function refuse(response: ServerResponse, { status, message }: RequestError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    ...headersOf[status],
  });
  response.end(message);
}
