import { Query } from '../query.js';

/** What is wrong with the body of a request, in the words of Go's JSON. */
export class BodyError extends Error {}

/** Go's types of the values that may stand in a body. */
type Kind = 'bool' | 'int' | 'uint64' | 'string' | 'server.ConnState' | '[]string';

/** By the names that fields have in a body: of what type each is, and what it is called in a query; one without a name there says nothing here. */
type Fields = Readonly<Record<string, readonly [kind: Kind, parameter?: string]>>;

/** Which servers are to answer. */
const filters: Fields = {
  server_name: ['string', 'server_name'],
  cluster: ['string', 'cluster'],
  host: ['string', 'host'],
  domain: ['string', 'domain'],
  exact_match: ['bool', 'exact_match'],
  tags: ['[]string', 'tags'],
};

const page: Fields = { offset: ['int', 'offset'], limit: ['int', 'limit'] };

const fieldsOf: Readonly<Record<string, Fields>> = {
  CONNZ: {
    ...page,
    sort: ['string', 'sort'],
    auth: ['bool', 'auth'],
    subscriptions: ['bool', 'subs'],
    subscriptions_detail: ['bool', 'detail'],
    cid: ['uint64', 'cid'],
    mqtt_client: ['string', 'mqtt_client'],
    state: ['server.ConnState', 'state'],
    user: ['string', 'user'],
    acc: ['string', 'acc'],
    filter_subject: ['string', 'filter_subject'],
  },
  SUBSZ: { ...page, subscriptions: ['bool', 'subs'], account: ['string', 'acc'], test: ['string', 'test'] },
  JSZ: {
    ...page,
    account: ['string', 'acc'],
    accounts: ['bool', 'accounts'],
    streams: ['bool', 'streams'],
    consumer: ['bool', 'consumers'],
    config: ['bool', 'config'],
    raft: ['bool', 'raft'],
    leader_only: ['bool'],
    stream_leader_only: ['bool'],
    direct_consumer: ['bool'],
  },
  HEALTHZ: {
    'js-enabled': ['bool', 'js-enabled'],
    'js-enabled-only': ['bool', 'js-enabled-only'],
    'js-server-only': ['bool', 'js-server-only'],
    account: ['string', 'account'],
    stream: ['string', 'stream'],
    consumer: ['string', 'consumer'],
    details: ['bool', 'details'],
  },
  ACCOUNTZ: { account: ['string', 'acc'] },
  STATZ: { accounts: ['[]string', 'accounts'], include_unused: ['bool', 'unused'] },
};

/** What is asked for, as the same path of the monitoring port would be asked. @throws BodyError */
export function readBody(what: string, body: string): Query {
  const name = `${what.charAt(0)}${what.slice(1).toLowerCase()}EventOptions`;
  const fields: Fields = { ...fieldsOf[what], ...filters };
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(readObject(name, body))) {
    // as Go has it
    const known = fields[key.toLowerCase()];
    if (known === undefined || value === null) continue;
    const [kind, parameter] = known;
    const texts = textsOf(kind, value);
    if (texts === null)
      throw new BodyError(
        `json: cannot unmarshal ${kindOf(value, kind)} into Go struct field ${name}.${key} of type ${kind}`,
      );
    if (parameter !== undefined) for (const text of texts) asked.append(parameter, text);
  }
  if (asked.get('detail') === 'true') asked.set('subs', 'detail');
  return new Query(asked);
}

function readObject(name: string, body: string): object {
  if (body === '') return {};
  const value = parse(body);
  if (value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value;
  throw new BodyError(`json: cannot unmarshal ${kindOf(value)} into Go value of type server.${name}`);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new BodyError(goText(body, (error as Error).message));
  }
}

/** What Go says of JSON that is none, as far as JavaScript tells why it is not. */
function goText(body: string, message: string): string {
  const at = Number(/ at position (\d+)/.exec(message)?.[1] ?? -1);
  if (/^Unterminated|end of JSON/.test(message) || at >= body.trimEnd().length) return 'unexpected end of JSON input';
  const character = at >= 0 ? body.charAt(at) : (/^Unexpected token '?(.)/.exec(message)?.[1] ?? '?');
  if (message.includes('after JSON')) return `invalid character '${character}' after top-level value`;
  if (message.includes('after property name')) return `invalid character '${character}' after object key`;
  return `invalid character '${character}' looking for beginning of value`;
}

/** A value as a query has it; null when it is of another kind. */
function textsOf(kind: Kind, value: unknown): string[] | null {
  switch (kind) {
    case 'bool':
      return typeof value === 'boolean' ? [String(value)] : null;
    case 'string':
      return typeof value === 'string' ? [value] : null;
    case '[]string':
      return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : null;
    case 'int':
      return Number.isSafeInteger(value) ? [String(value)] : null;
    case 'uint64':
      return Number.isSafeInteger(value) && (value as number) >= 0 ? [String(value)] : null;
    case 'server.ConnState':
      return Number.isSafeInteger(value) ? [states[value as number] ?? 'open'] : null;
  }
}

const states = ['open', 'closed', 'all'];

/** How Go's errors call a value of JSON, and which it is where a number is wanted, only another one. */
function kindOf(value: unknown, wanted: Kind = 'string'): string {
  const isWanted = wanted !== 'bool' && wanted !== 'string' && wanted !== '[]string';
  if (typeof value === 'number') return isWanted ? `number ${value}` : 'number';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'array' : typeof value;
}
