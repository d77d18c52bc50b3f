import { nowText } from '../../base/timeText.js';
import { uniqueId } from '../../base/uniqueId.js';
import { serverFields } from '../../protocol/serverFields.js';
import { readSystemRequest } from '../../protocol/systemSubjects.js';
import { accountDetail, accountNames, accountStatistics, statisticsOf } from '../accounts.js';
import type { Answer } from '../answer.js';
import type { AnswerTurns } from '../answerTurns.js';
import { type Endpoint, endpoints } from '../endpoints.js';
import { accountJsz } from '../jsz.js';
import { type Query, RequestError } from '../query.js';
import type { Sources } from '../sources.js';
import { statsz } from '../statsz.js';
import { BodyError, readBody } from './requestBody.js';

/**
 * Answers what is asked in the system account with what the monitoring port tells, in the frame that nats-server puts around it. One that is longer than a
 * message may be is refused: whoever asks can ask for less of it.
 */
export class SystemRequests {
  readonly #sources: Sources;
  readonly #turns: AnswerTurns;
  /** Answers so far. */
  #sequence = 0;

  constructor(sources: Sources, turns: AnswerTurns) {
    this.#sources = sources;
    this.#turns = turns;
  }

  /** Resolves with the answer; with null where there is none to be given, as when other servers are asked. */
  async answer(subject: string, body: string): Promise<Uint8Array | null> {
    const { about, who, what } = readSystemRequest(subject);
    const text = about === 'SERVER' ? await this.#ofServer(what, body) : await this.#ofAccount(who, what, body);
    return text === null ? null : Buffer.from(text);
  }

  /** What the server tells of itself now and then. */
  async statsz(): Promise<Uint8Array> {
    return Buffer.from(this.#framed('statsz', JSON.stringify(await statsz(this.#sources))));
  }

  async #ofServer(what: string, body: string): Promise<string | null> {
    const { info } = this.#sources.facts;
    // whatever is asked beside it
    if (what === 'IDZ') return JSON.stringify({ name: info.server_name, host: info.host, id: info.server_id });
    return await this.#refusing(what, body, async (query) => {
      if (!isMeant(query, this.#sources)) return null;
      if (what === 'STATSZ') return this.#framed('statsz', JSON.stringify(await statsz(this.#sources)));
      return this.#framed('data', await this.#textOf(await endpointOf(what)(this.#sources, query)));
    });
  }

  async #ofAccount(name: string, what: string, body: string): Promise<string | null> {
    const handle = ofAccount[what] as AccountHandler;
    return await this.#refusing(what, body, async (query) => {
      if (what === 'CONNS') return accountNames(this.#sources).includes(name) ? this.#connections(name) : null;
      const answer = await handle(this.#sources, name, query);
      return answer === null ? null : this.#framed('data', await this.#textOf(answer));
    });
  }

  /** Says what is wrong with a request, where something is. */
  async #refusing(
    what: string,
    body: string,
    answer: (query: Query) => Promise<string | null>,
  ): Promise<string | null> {
    try {
      const query = readBody(what, body);
      return await this.#turns.run(() => answer(query));
    } catch (error) {
      if (error instanceof BodyError) return this.#refused(400, error.message, {});
      if (error instanceof RequestError) return this.#refused(500, error.message, { data: null });
      throw error;
    }
  }

  /** An event by its look: the only answer without a frame. */
  #connections(name: string): string {
    const type = 'io.nats.server.advisory.v1.account_connections';
    const server = this.#server();
    return JSON.stringify({ type, id: uniqueId(), timestamp: nowText(), server, ...statisticsOf(this.#sources, name) });
  }

  async #textOf(answer: Answer): Promise<string> {
    const { maxPayloadBytes } = this.#sources.facts.options;
    const text = 'pieces' in answer ? await joined(answer.pieces, maxPayloadBytes) : JSON.stringify(shownValue(answer));
    if (text === null || text.length + frameBytes > maxPayloadBytes) throw tooLong;
    return text;
  }

  #server() {
    return serverFields(this.#sources.facts.info, ++this.#sequence);
  }

  #framed(name: 'data' | 'statsz', text: string): string {
    return `{"server":${JSON.stringify(this.#server())},"${name}":${text}}`;
  }

  #refused(code: number, description: string, more: object): string {
    return JSON.stringify({ server: this.#server(), ...more, error: { code, description } });
  }
}

/** What stands around an answer, at most, in bytes. */
const frameBytes = 1_024;

const tooLong = new RequestError(
  500,
  'the answer is longer than a message may be: ask for less, by limit, or at the monitoring port',
);

/** What an account is asked for; null when nobody answers. */
type AccountHandler = (sources: Sources, name: string, query: Query) => Answer | Promise<Answer> | null;

const value = (value: object): Answer => ({ status: 200, value, indent: false });

const ofAccount: Readonly<Record<string, AccountHandler>> = {
  CONNZ: (sources, name, query) => endpointOf('CONNZ')(sources, query.with('acc', name)),
  SUBSZ: (sources, name, query) => endpointOf('SUBSZ')(sources, query.with('acc', name).with('subs', '1')),
  LEAFZ: (sources, _, query) => endpointOf('LEAFZ')(sources, query),
  JSZ: accountJsz,
  INFO: async (sources, name) => value(await accountDetail(sources, name)),
  STATZ: (sources, name, query) => {
    // asked of all accounts
    if (name === 'PING') {
      const named = query.all('accounts');
      return value(accountStatistics(sources, named.length > 0 ? named : accountNames(sources), query.flag('unused')));
    }
    return accountNames(sources).includes(name) ? value(accountStatistics(sources, [name], true)) : null;
  },
};

function endpointOf(what: string): Endpoint {
  const endpoint = endpoints.get(`/${what.toLowerCase()}`) as Endpoint;
  if (what !== 'CONNZ') return endpoint;
  return (sources, query) => {
    refuseFilter(query);
    return endpoint(sources, query);
  };
}

function refuseFilter(query: Query): void {
  if (query.text('filter_subject') === '') return;
  if (query.text('acc') === '') throw new RequestError(500, 'filter by subject only valid with account filtering');
  throw new RequestError(500, 'filter by subject is not supported');
}

/** Whether this is one of the servers that are asked. */
function isMeant(query: Query, { facts }: Sources): boolean {
  const { server_name, host, domain = '' } = facts.info;
  const isExact = query.flag('exact_match');
  const fits = (asked: string, name: string): boolean => (isExact ? name === asked : name.includes(asked));
  const matches = (parameter: string, name: string): boolean =>
    query.text(parameter) === '' || fits(query.text(parameter), name);
  return (
    matches('server_name', server_name) &&
    matches('host', host) &&
    matches('domain', domain) &&
    matches('cluster', '') &&
    query.all('tags').length === 0
  );
}

/** What a path would be answered with; how well the server is says its status, too. */
function shownValue(answer: Exclude<Answer, { pieces: unknown }>): unknown {
  if ('text' in answer) return answer.text;
  const { value, status } = answer;
  return typeof value === 'object' && value !== null && 'status' in value ? { ...value, status_code: status } : value;
}

/** All of a text that comes in pieces; null where that is longer than it may be. */
async function joined(pieces: AsyncGenerator<string>, lengthMax: number): Promise<string | null> {
  let text = '';
  for await (const piece of pieces) {
    text += piece;
    if (text.length > lengthMax) return null;
  }
  return text;
}
