/** What a client says of itself in `CONNECT`. */
export interface ConnectOptions {
  verbose: boolean;
  pedantic: boolean;
  echo: boolean;
  noResponders: boolean;
  headers: boolean;
  name: string;
  lang: string;
  version: string;
  /** The level of the protocol; null when it does not say, which is taken for 0. */
  protocol: number | null;
  user: string | null;
  pass: string | null;
  authToken: string | null;
  /** What the client asks for beyond NATS, as it came; null when it asks for nothing. */
  shardcast: Readonly<Record<string, unknown>> | null;
}

/** What holds until a client says otherwise; nats-server's defaults, under which a person at a terminal is answered. */
export const defaultConnectOptions: ConnectOptions = {
  verbose: true,
  pedantic: true,
  echo: true,
  noResponders: false,
  headers: false,
  name: '',
  lang: '',
  version: '',
  protocol: null,
  user: null,
  pass: null,
  authToken: null,
  shardcast: null,
};

/**
 * Reads the JSON of `CONNECT`. Unknown fields are ignored; returns null when it is no object or a field has the wrong type.
 *
 * @param before what holds for fields that are not named: a client may CONNECT again
 */
export function parseConnectOptions(
  json: string,
  before: ConnectOptions = defaultConnectOptions,
): ConnectOptions | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || Array.isArray(value)) return null;
  const fields = (value ?? {}) as Record<string, unknown>;
  let valid = true;
  const flag = (name: string, absent: boolean): boolean => {
    const field = fields[name] ?? absent;
    if (typeof field !== 'boolean') valid = false;
    return field === true;
  };
  const text = (name: string, absent: string | null): string | null => {
    const field = fields[name] ?? absent;
    if (field === null) return null;
    if (typeof field === 'string') return field;
    valid = false;
    return null;
  };
  const number = (name: string, absent: number | null): number | null => {
    const field = fields[name] ?? absent;
    if (field === null) return null;
    if (typeof field !== 'number') valid = false;
    return Number(field);
  };
  const object = (name: string, absent: ConnectOptions['shardcast']): ConnectOptions['shardcast'] => {
    const field = fields[name] ?? absent;
    if (typeof field !== 'object' || Array.isArray(field)) valid = false;
    return field as ConnectOptions['shardcast'];
  };
  const options: ConnectOptions = {
    verbose: flag('verbose', before.verbose),
    pedantic: flag('pedantic', before.pedantic),
    echo: flag('echo', before.echo),
    noResponders: flag('no_responders', before.noResponders),
    headers: flag('headers', before.headers),
    name: text('name', before.name) ?? '',
    lang: text('lang', before.lang) ?? '',
    version: text('version', before.version) ?? '',
    protocol: number('protocol', before.protocol),
    user: text('user', before.user),
    pass: text('pass', before.pass),
    authToken: text('auth_token', before.authToken),
    shardcast: object('shardcast', before.shardcast),
  };
  return valid ? options : null;
}
