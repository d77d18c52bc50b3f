import type { Answer } from './answer.js';
import type { Query } from './query.js';
import type { Sources } from './sources.js';
import { account } from './subscriptionDetail.js';

interface Ill {
  readonly status: number;
  readonly type: 'ACCOUNT' | 'STREAM' | 'CONSUMER' | 'JETSTREAM' | 'BAD_REQUEST';
  readonly error: string;
  readonly where?: object;
}

/** `/healthz`: whether the server does what it should; or has the account, the stream and the consumer that is asked for. */
export async function healthz(sources: Sources, query: Query): Promise<Answer> {
  const serverOnly = ['js-enabled-only', 'js-enabled', 'js-server-only'].map((name) => query.flag(name)).includes(true);
  const details = query.flag('details');
  const ill = failed(sources) ?? (serverOnly ? null : await missing(sources, query));
  if (ill === null) return { status: 200, value: { status: 'ok' }, indent: false };
  return { status: ill.status, value: details ? detailed(ill) : plain(ill), indent: false };
}

function failed({ facts }: Sources): Ill | null {
  return facts.failure === null ? null : { status: 503, type: 'JETSTREAM', error: facts.failure };
}

async function missing(sources: Sources, query: Query): Promise<Ill | null> {
  const [named, stream, consumer] = ['account', 'stream', 'consumer'].map((name) => query.text(name));
  if (consumer !== '' && stream === '')
    return { status: 400, type: 'BAD_REQUEST', error: '"stream" must not be empty when checking consumer health' };
  if (stream !== '' && named === '')
    return { status: 400, type: 'BAD_REQUEST', error: '"account" must not be empty when checking stream health' };
  if (named === '') return null;
  const where = { account: named };
  if (named !== account)
    return { status: 404, type: 'ACCOUNT', error: `JetStream account ${quoted(named)} not found`, where };
  if (stream === '') return null;
  const found = await sources.consumersOf(stream);
  if (found === null) {
    const error = `JetStream stream ${quoted(stream)} not found on account ${quoted(named)}`;
    return { status: 404, type: 'STREAM', error, where: { ...where, stream } };
  }
  if (consumer === '' || found.includes(consumer)) return null;
  const error = `JetStream consumer ${quoted(consumer)} not found for stream ${quoted(stream)} on account ${quoted(named)}`;
  return { status: 404, type: 'CONSUMER', error, where: { ...where, stream, consumer } };
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

function plain({ status, error }: Ill): object {
  return { status: status === 400 ? 'error' : 'unavailable', error };
}

function detailed({ type, error, where }: Ill): object {
  return { status: 'error', errors: [{ type, ...where, error }] };
}
