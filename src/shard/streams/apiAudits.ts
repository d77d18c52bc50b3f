import { readableText } from '../../base/bytes.js';
import type { ApiCaller } from '../../protocol/apiAudit.js';
import type { JsonObject } from '../../stream/api/json.js';
import type { ServerFacts } from '../../stream/api/streamInfo.js';
import type { Stream } from '../../stream/stream.js';
import type { Advisories } from './advisories.js';
import type { ApiRequest } from './apiRequest.js';

/** Tells whoever listens what was asked of the API, by whom, and what the answer was. */
export class ApiAudits {
  readonly #advisories: Pick<Advisories, 'say'>;
  readonly #server: string;

  constructor(advisories: Pick<Advisories, 'say'>, { serverName }: ServerFacts) {
    this.#advisories = advisories;
    this.#server = serverName;
  }

  /** @param stream the one that was asked about; null where there is none */
  tell({ tokens, body, caller }: ApiRequest, answer: Uint8Array, stream: Stream | null): void {
    const fields = (): JsonObject => ({
      server: this.#server,
      client: this.#clientOf(caller),
      subject: readableText(`$JS.API.${tokens.join('.')}`),
      request: body || undefined,
      response: Buffer.from(answer).toString(),
    });
    this.#advisories.say('ADVISORY.API', 'advisory.v1.api_audit', fields, stream);
  }

  #clientOf(caller: string): JsonObject {
    const { client_type, ...known } = JSON.parse(caller) as ApiCaller;
    return { ...known, server: this.#server, kind: 'Client', client_type };
  }
}
