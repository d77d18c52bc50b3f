/** The longest name of a server, a user or a subject that is accepted: far above any real one, far below harm. */
const TEXT_LENGTH_MAX = 1024;

/** A host name or an address, without a port. */
export function isHost(value: string): boolean {
  return isWord(value) && !/[/@[\]]/.test(value) && (!value.includes(':') || isIpv6(value));
}

/** What clients are told to connect to: a host, or a host and a port. */
export function isAdvertised(value: string): boolean {
  const endpoint = splitEndpoint(value);
  return endpoint === null ? isHost(value) : endpoint.host !== '';
}

/** A word without spaces or control characters. nats-server refuses spaces in server names too: they break its tools. */
export function isWord(value: string): boolean {
  return value.length > 0 && value.length <= TEXT_LENGTH_MAX && !/[\s\u0000-\u001f\u007f]/.test(value);
}

/** A user name or a plain secret: anything that is not empty and fits in one CONNECT. */
export function isCredential(value: string): boolean {
  return value.length > 0 && value.length <= TEXT_LENGTH_MAX && !/[\u0000-\u001f\u007f]/.test(value);
}

/** A secret, plain or as a bcrypt hash; a text that begins like a hash must be a whole one. */
export function isSecret(value: string): boolean {
  if (/^\$2[aby]\$/.test(value)) return /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/.test(value);
  return isCredential(value);
}

/** Whether a text may be a JetStream domain: a token of the subjects of its API, which are others than those without one. */
export function isDomainName(name: string): boolean {
  return /^[^\s.*>]{1,255}$/.test(name) && !['API', 'ACK', 'FC', 'EVENT'].includes(name);
}

/** A subject, with or without the wildcards `*` and `>`. */
export function isSubject(value: string): boolean {
  if (!isWord(value)) return false;
  const tokens = value.split('.');
  return tokens.every((token, index) => token !== '' && (token !== '>' || index === tokens.length - 1));
}

/** What a browser gives as the origin of a page: scheme, host, and the port where it is not the scheme's own. */
export function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value;
}

/** An address of HTTP, as a client calls it. */
export function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

/** Whether only this machine can reach the host. A name other than `localhost` is not looked up: it does not count. */
export function isLoopback(host: string): boolean {
  return /^(localhost|(::ffff:)?127(\.\d{1,3}){3}|::1)$/i.test(host);
}

/** Parts `host:port` and `[address]:port`; null when it is neither. */
export function splitEndpoint(value: string): { host: string; port: string } | null {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(-?\d+)$/.exec(value.trim());
  if (!match) return null;
  const host = match[1] ?? match[2]!;
  return isHost(host) ? { host, port: match[3]! } : null;
}

function isIpv6(value: string): boolean {
  return /^[0-9a-f:.]+(%\w+)?$/i.test(value) && value.split(':').length > 2;
}
