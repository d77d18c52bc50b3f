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
  const user = decodeURIComponent(first.username);
  const pass = decodeURIComponent(first.password);
  return {
    servers: urls.map((url) => `${url.hostname}:${url.port || '4222'}`),
    isTls: urls.some((url) => url.protocol === 'tls:'),
    ...(pass ? { user, pass } : user ? { token: user } : {}),
  };
}

function parseUrl(text: string): URL {
  const withScheme = text.includes('://') ? text : `nats://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (!url?.hostname) throw usageError('--server: this is not an address such as nats://127.0.0.1:4222');
  if (url.protocol === 'nats:' || url.protocol === 'tls:') return url;
  throw usageError(`--server: ${url.protocol}// is not supported; use nats:// or tls://`);
}
