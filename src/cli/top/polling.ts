import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { formatDurationMs } from '../../options/units.js';
import { CliError, usageError } from '../exit.js';

export interface AskOptions {
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly timeout: number;
  readonly sort: string;
  readonly connections: number;
}

/** Of `/varz`, what is shown. */
export interface Varz {
  readonly server_id: string;
  readonly server_name?: string;
  readonly version: string;
  readonly start: string;
  readonly uptime?: string;
  readonly cpu?: number;
  readonly mem?: number;
  readonly connections?: number;
  readonly total_connections?: number;
  readonly subscriptions?: number;
  readonly slow_consumers?: number;
  readonly in_msgs: number;
  readonly out_msgs: number;
  readonly in_bytes: number;
  readonly out_bytes: number;
}

/** Of a connection in `/connz`, what is shown. */
export interface Conn {
  readonly cid: number;
  readonly name?: string;
  readonly ip?: string;
  readonly port?: number;
  readonly uptime?: string;
  readonly rtt?: string;
  readonly subscriptions?: number;
  readonly pending_bytes?: number;
  readonly in_msgs: number;
  readonly out_msgs: number;
  readonly in_bytes: number;
  readonly out_bytes: number;
}

/** What a server has told, and when. */
export interface Sample {
  readonly atMs: number;
  readonly varz: Varz;
  readonly connections: readonly Conn[];
}

/** A server's monitoring port. */
export class MonitoringPort {
  readonly #base: URL;
  readonly #headers: Record<string, string>;
  readonly #options: AskOptions;

  /** @throws CliError when the URL is none of HTTP */
  constructor(url: string, options: AskOptions) {
    this.#base = parseUrl(url);
    this.#headers = authorization(this.#base, options);
    this.#base.username = '';
    this.#base.password = '';
    this.#options = options;
  }

  /** @throws CliError; or as the signal's reason says */
  async sample(signal: AbortSignal): Promise<Sample> {
    const { sort, connections: limit } = this.#options;
    const varz = (await this.#ask('varz', signal)) as Partial<Varz> | null;
    const atMs = performance.now();
    if (typeof varz?.server_id !== 'string' || typeof varz.in_msgs !== 'number') throw this.#isNone();
    const connz = (await this.#ask(`connz?sort=${sort}&limit=${limit}`, signal)) as { connections?: Conn[] } | null;
    if (!Array.isArray(connz?.connections)) throw this.#isNone();
    return { atMs, varz: varz as Varz, connections: connz.connections };
  }

  async #ask(path: string, signal: AbortSignal): Promise<unknown> {
    const late = AbortSignal.timeout(this.#options.timeout);
    try {
      const { status, body } = await this.#get(path, AbortSignal.any([signal, late]));
      if (status === 401 || status === 403)
        throw new CliError(`${this.#base} refused the credentials; see --user, --pass and --token`);
      if (status === 400) throw new CliError(`${this.#base}${path}: ${body.trim()}`);
      if (status !== 200) throw this.#isNone();
      return JSON.parse(body);
    } catch (error) {
      if (signal.aborted || error instanceof CliError) throw error;
      if (late.aborted)
        throw new CliError(`${this.#base} did not answer within ${formatDurationMs(this.#options.timeout)}`);
      throw this.#explain(error);
    }
  }

  /** Not by `fetch`, which leaves out ports that browsers are not to speak to, such as 6000. */
  async #get(path: string, signal: AbortSignal): Promise<{ readonly status: number; readonly body: string }> {
    const url = new URL(path, this.#base);
    const { get } = url.protocol === 'https:' ? https : http;
    const [response] = (await once(get(url, { headers: this.#headers, signal }), 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, body: await text(response) };
  }

  #explain(error: unknown): CliError {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED')
      return new CliError(
        `nothing listens at ${this.#base}; a broker has a monitoring port with: shardcast serve -m 8222`,
      );
    if (error instanceof SyntaxError || code?.startsWith('HPE_')) return this.#isNone();
    return new CliError(`cannot ask ${this.#base}: ${message}`, 1, { cause: error });
  }

  #isNone(): CliError {
    return new CliError(`${this.#base} is no monitoring port of a NATS server`);
  }
}

function parseUrl(text: string): URL {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(full) || !/^https?:/i.test(full))
    throw usageError(`${text} is no URL of a monitoring port such as http://127.0.0.1:8222`);
  const url = new URL(full);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** What is given beside the URL wins over what is in it. */
function authorization(url: URL, { user, pass, token }: AskOptions): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  const name = user ?? decodeURIComponent(url.username);
  const secret = pass ?? decodeURIComponent(url.password);
  if (name === '' && secret === '') return {};
  return { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` };
}
