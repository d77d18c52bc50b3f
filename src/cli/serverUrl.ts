import type { ServerOptions } from './clientOptions.js';
import { usageError } from './exit.js';

/** Where to connect, and the credentials that stood in the URL. */
export interface ServerAddress {
  readonly servers: readonly string[];
  readonly isTls: boolean;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

/**
 * Reads `host`, `host:port` or `nats://user:pass@host:port` (a user alone is a token), or several with commas between.
 *
 * @throws CliError (usage) for anything else; it does not repeat the text, which may hold a password
 */
export function parseServers(text: string): ServerAddress {
  const urls = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => parseUrl(part.trim()));
  const first = urls[0];
  if (!first) throw usageError('--server: an address such as nats://127.0.0.1:4222 is expected');
  return {
    servers: urls.map((url) => `${url.hostname}:${url.port || '4222'}`),
    isTls: urls.some((url) => url.protocol === 'tls:'),
    ...inUrl(first),
  };
}

function parseUrl(text: string): URL {
  const withScheme = text.includes('://') ? text : `nats://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (!url?.hostname) throw usageError('--server: this is not an address such as nats://127.0.0.1:4222');
  if (url.protocol === 'nats:' || url.protocol === 'tls:') return url;
  throw usageError(`--server: ${url.protocol}// is not supported; use nats:// or tls://`);
}

/** Where JSON lines are spoken, and who one is. */
export interface LinesAddress {
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

/**
 * Reads `tcp://host:port`; credentials are given beside it, or in it as in a NATS URL.
 *
 * @throws CliError (usage) for anything else
 */
export function parseLinesServer(options: ServerOptions): LinesAddress {
  const { server, user, pass, token } = options;
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url?.protocol !== 'tcp:' || url.hostname === '' || url.port === '')
    throw usageError(
      '--prefetch needs the JSON lines of a Shardcast broker: --server tcp://HOST:PORT (its --jsonl-port)',
    );
  const given = { user, pass, token, ...inUrl(url) };
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port), ...Object.fromEntries(known) };
}

/** A user alone is a token. */
function inUrl(url: URL): { user?: string; pass?: string; token?: string } {
  const user = decodeURIComponent(url.username);
  const pass = decodeURIComponent(url.password);
  if (pass !== '') return { user, pass };
  return user === '' ? {} : { token: user };
}
