import { mainAccount } from '../base/account.js';
import type { Page, StreamReport } from '../base/reports.js';
import { nowText } from '../base/timeText.js';
import { type Answer, answerPieces, listItems, openObject } from './answer.js';
import { jetStreamConfig, jetStreamLimits, jetStreamStats } from './jetStream.js';
import { mergedBy } from './merged.js';
import { type Query, RequestError, readPage } from './query.js';
import { type Sources, totals } from './sources.js';
import { account, accountNamed, nobody } from './subscriptionDetail.js';

/** What `uint64` has for no limit. */
const unlimited = '18446744073709551615';

/** `/jsz`: JetStream, with its account, streams and consumers where they are asked for. */
export async function jsz(sources: Sources, query: Query): Promise<Answer> {
  const streams = query.flag('streams');
  const consumers = query.flag('consumers');
  const config = query.flag('config');
  const raft = query.flag('raft');
  const named = query.text('acc');
  const asksForAccounts = query.flag('accounts') || streams || consumers || named !== '';
  const { offset } = readPage(query);
  for (const flag of ['leader-only', 'stream-leader-only', 'direct-consumers']) query.flag(flag);
  const summary = await totals(sources);
  const { facts } = sources;
  const head = {
    ...jetStreamStats(summary),
    server_id: facts.info.server_id,
    now: nowText(),
    config: jetStreamConfig(facts),
    limits: jetStreamLimits,
    streams: summary.streams,
    ...(raft ? { streams_leader: summary.streams } : {}),
    consumers: summary.consumers,
    ...(raft ? { consumers_leader: summary.consumers } : {}),
    messages: summary.messages,
    bytes: summary.memoryBytes + summary.fileBytes,
  };
  const hasAccount = asksForAccounts && (named === '' ? offset === 0 : named === account);
  const detail = hasAccount ? accountDetail(summary) : null;
  const found = streams || consumers ? streamsOf(sources, { consumers, config }) : null;
  return answerPieces(pieces(head, detail, found));
}

/** What an account has of JetStream, with its streams and consumers where they are asked for. @throws RequestError for one that has none */
export async function accountJsz(sources: Sources, name: string, query: Query): Promise<Answer> {
  const asked = accountNamed(name, sources);
  if (asked !== mainAccount) {
    const why = asked === nobody ? 'found' : 'jetstream enabled';
    throw new RequestError(400, `account ${JSON.stringify(name)} not ${why}`);
  }
  const consumers = query.flag('consumers');
  const found =
    query.flag('streams') || consumers ? streamsOf(sources, { consumers, config: query.flag('config') }) : null;
  return answerPieces(accountPieces(accountDetail(await totals(sources)), found));
}

function accountDetail(summary: Parameters<typeof jetStreamStats>[0]): string {
  const { memoryBytes: memory, fileBytes: storage, answered: total, failed: errors } = summary;
  const text = openObject({
    name: account,
    id: account,
    memory,
    storage,
    reserved_memory: '',
    reserved_storage: '',
    accounts: 0,
    ha_assets: 0,
    api: { level: 0, total, errors },
  });
  // larger than JavaScript's numbers
  return text
    .replaceAll('_memory": ""', `_memory": ${unlimited}`)
    .replaceAll('_storage": ""', `_storage": ${unlimited}`);
}

async function* pieces(
  head: object,
  detail: string | null,
  found: AsyncIterable<string> | null,
): AsyncGenerator<string> {
  yield openObject(head);
  if (detail !== null) {
    yield ',\n  "account_details": [';
    yield* accountPieces(detail, found);
    yield ']';
  }
  yield ',\n  "total": 1\n}';
}

async function* accountPieces(detail: string, found: AsyncIterable<string> | null): AsyncGenerator<string> {
  yield detail;
  if (found !== null) {
    yield ',\n  "stream_detail": [';
    yield* listItems(found);
    yield ']';
  }
  yield '\n}';
}

/** The streams of all shards, by their names in order. */
async function* streamsOf(
  sources: Sources,
  asked: { readonly consumers: boolean; readonly config: boolean },
): AsyncGenerator<string> {
  const byShard = Array.from({ length: sources.shards }, (_, shard) => rowsOf(sources.walk('streams', asked, shard)));
  for await (const { json } of mergedBy(byShard, ({ name }) => name)) yield json;
}

async function* rowsOf(pages: AsyncGenerator<Page<'streams'>>): AsyncGenerator<StreamReport> {
  for await (const { rows } of pages) yield* rows;
}
