import { isIP } from 'node:net';

/** What a request says of who makes it; as `CONNECT` does. */
export interface GivenCredentials {
  readonly user: string | null;
  readonly pass: string | null;
  readonly authToken: string | null;
}

const nobody: GivenCredentials = { user: null, pass: null, authToken: null };

/**
 * Reads an `Authorization` header: a token, or a user and a password. Where the broker wants a token, it may be given in place of either of these:
 * tools know names and passwords.
 */
export function readAuthorization(header: string | undefined): GivenCredentials {
  const [scheme, value = ''] = (header ?? '').split(/ +/, 2);
  if (/^bearer$/i.test(scheme as string)) return { ...nobody, authToken: value };
  if (!/^basic$/i.test(scheme as string)) return nobody;
  const text = Buffer.from(value, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 0) return nobody;
  const [user, pass] = [text.slice(0, colon), text.slice(colon + 1)];
  return { user, pass, authToken: pass === '' ? user : pass };
}

/**
 * Whether a request to a port of loopback is meant for it: a web page that has had its own name lead there is refused, whatever it asks.
 *
 * @param header `Host`, as it came
 */
export function isForLoopback(header: string | undefined): boolean {
  const name = (header ?? '')
    .replace(/:\d*$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  return name === '' || name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0;
}
