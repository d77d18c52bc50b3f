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
  protocol: number;
  user: string | null;
  pass: string | null;
  authToken: string | null;
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
  protocol: 0,
  user: null,
  pass: null,
  authToken: null,
};

/** Text that a client gives of itself is kept and shown; a longer one is refused, in characters. */
const textLengthMax = 1024;

/** Reads the JSON of `CONNECT`. Unknown fields are ignored; returns null when it is no object or a field has the wrong type. */
export function parseConnectOptions(json: string): ConnectOptions | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const fields = value as Record<string, unknown>;
  let valid = true;
  const flag = (name: string, absent: boolean): boolean => {
    const field = fields[name] ?? absent;
    if (typeof field !== 'boolean') valid = false;
    return field === true;
  };
  const text = (name: string): string | null => {
    const field = fields[name] ?? null;
    if (field === null) return null;
    if (typeof field === 'string' && field.length <= textLengthMax) return field;
    valid = false;
    return null;
  };
  const options: ConnectOptions = {
    verbose: flag('verbose', defaultConnectOptions.verbose),
    pedantic: flag('pedantic', defaultConnectOptions.pedantic),
    echo: flag('echo', defaultConnectOptions.echo),
    noResponders: flag('no_responders', defaultConnectOptions.noResponders),
    headers: flag('headers', defaultConnectOptions.headers),
    name: text('name') ?? '',
    lang: text('lang') ?? '',
    version: text('version') ?? '',
    protocol: typeof fields.protocol === 'number' ? fields.protocol : 0,
    user: text('user'),
    pass: text('pass'),
    authToken: text('auth_token'),
  };
  return valid ? options : null;
}
