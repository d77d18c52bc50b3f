import { accountName, mainAccount } from '../base/account.js';
import { monitorRowsMax, monitorSubscriptionsMax } from '../base/limits.js';
import type { ConnectionReport, SubscriptionReport } from '../base/reports.js';
import { nowText } from '../base/timeText.js';
import { type Answer, answerPieces, type Item, listItems, openObject } from './answer.js';
import { closeReason } from './closeReasons.js';
import { type Compare, readSort } from './connectionSort.js';
import { FirstOf } from './firstOf.js';
import { ageText, durationText, timeOf } from './goText.js';
import { type PageAsked, type Query, RequestError, readPage } from './query.js';
import { fromAllShards, type Sources } from './sources.js';
import { accountNamed, subscriptionDetail } from './subscriptionDetail.js';

type State = 'open' | 'closed' | 'all';
type Detail = 'none' | 'subjects' | 'all';

/** What is asked of `/connz`. */
interface Asked extends PageAsked {
  readonly state: State;
  readonly compare: Compare;
  readonly detail: Detail;
  readonly showsUser: boolean;
  /** 0 for any. */
  readonly id: number;
  readonly user: string;
  readonly account: number | null;
  /** None is one of MQTT. */
  readonly mqttClient: string;
}

/** A connection, and the shard that has it. */
interface Found {
  readonly report: ConnectionReport;
  readonly shard: number;
}

const states: ReadonlyMap<string, State> = new Map([
  ['', 'open'],
  ['open', 'open'],
  ['closed', 'closed'],
  ['any', 'all'],
  ['all', 'all'],
]);

/** `/connz`: the connections, a page of them, in an order. */
export async function connz(sources: Sources, query: Query): Promise<Answer> {
  const asked = readAsked(sources, query);
  const first = new FirstOf<Found>(Math.min(asked.offset + asked.limit, monitorRowsMax), (one, other) =>
    asked.compare(one.report, other.report),
  );
  const { state, id, user, account } = asked;
  // none is of MQTT
  const isAny = asked.mqttClient === '';
  let total = 0;
  for await (const [shard, { rows, passed }] of fromAllShards(sources, 'connections', { state, id, user, account })) {
    total += rows.length + passed;
    if (isAny) for (const report of rows) first.add({ report, shard });
  }
  const page = first.sorted().slice(asked.offset, asked.offset + asked.limit);
  return answerPieces(pieces(sources, asked, page, total));
}

function readAsked(sources: Sources, query: Query): Asked {
  const state = states.get(query.text('state').toLowerCase());
  const showsUser = query.flag('auth');
  const detail = readDetail(query);
  const page = readPage(query);
  const id = query.natural('cid');
  if (state === undefined) throw new RequestError(400, `Error decoding state for ${query.text('state')}`);
  return {
    ...page,
    // one connection is a page by itself
    ...(id > 0 ? { limit: 1, offset: 0 } : {}),
    state,
    compare: readSort(query.text('sort'), state),
    detail,
    showsUser,
    id,
    user: query.text('user'),
    account: accountNamed(query.text('acc'), sources),
    mqttClient: query.text('mqtt_client'),
  };
}

function readDetail(query: Query): Detail {
  if (query.text('subs') === 'detail') return 'all';
  return query.flag('subs') ? 'subjects' : 'none';
}

async function* pieces(sources: Sources, asked: Asked, page: readonly Found[], total: number): AsyncGenerator<string> {
  const { offset, limit } = asked;
  const head = {
    server_id: sources.facts.info.server_id,
    now: nowText(),
    num_connections: page.length,
    total,
    offset,
    limit,
  };
  yield `${openObject(head)},\n  "connections": [`;
  yield* listItems(items(sources, asked, page));
  yield ']\n}';
}

async function* items(sources: Sources, asked: Asked, page: readonly Found[]): AsyncGenerator<Item> {
  if (asked.detail === 'none') {
    for (const { report } of page) yield JSON.stringify(shown(asked, report, []));
    return;
  }
  for (const some of groups(page)) {
    const [first] = some as [Found];
    if (openSubscriptions(first) > monitorSubscriptionsMax) {
      yield inPieces(sources, asked, first);
      continue;
    }
    const all = await subscriptionsOf(sources, some);
    for (const { report } of some) yield JSON.stringify(shown(asked, report, report.had ?? all.get(report.id) ?? []));
  }
}

/** Subscriptions of so many connections are asked for together, unless they have too many. */
const connectionsTogether = 128;

/** Splits a page into runs of connections whose subscriptions are few enough to be held; one that has more is a run by itself. */
function* groups(page: readonly Found[]): Generator<readonly Found[]> {
  let group: Found[] = [];
  let held = 0;
  for (const each of page) {
    held += openSubscriptions(each);
    if (group.length > 0 && (held > monitorSubscriptionsMax || group.length === connectionsTogether)) {
      yield group;
      group = [];
      held = openSubscriptions(each);
    }
    group.push(each);
  }
  if (group.length > 0) yield group;
}

/** How many subscriptions its shard has to be asked for. */
function openSubscriptions({ report }: Found): number {
  return report.end === null ? report.subscriptions : 0;
}

/** A connection with very many subscriptions: they are read as they are written, and nobody holds more than a page of them. */
async function* inPieces(sources: Sources, asked: Asked, { report, shard }: Found): AsyncGenerator<string> {
  const { name, one } = lists[asked.detail as keyof typeof lists];
  yield `${JSON.stringify(shown(asked, report, [])).slice(0, -1)},"${name}":[`;
  let separator = '';
  const wanted = { connections: [report.id], account: null, subject: '', max: rowsEach };
  for await (const { rows } of sources.walk('subscriptions', wanted, shard)) {
    if (rows.length === 0) continue;
    yield separator + rows.map((row) => JSON.stringify(one(row))).join(',');
    separator = ',';
  }
  yield ']}';
}

/** How subscriptions are listed, by how much of them is asked for. */
const lists = {
  subjects: { name: 'subscriptions_list', one: ({ subject }: SubscriptionReport): unknown => subject },
  all: { name: 'subscriptions_list_detail', one: (each: SubscriptionReport): unknown => subscriptionDetail(each) },
} as const;

function shown(asked: Asked, report: ConnectionReport, had: readonly SubscriptionReport[]): object {
  const user = report.user === '' ? {} : { authorized_user: report.user };
  return {
    ...describe(report),
    ...(asked.showsUser ? { ...user, ...ofAccount(report) } : {}),
    ...listed(asked.detail, had),
  };
}

/** The main account goes without saying. */
function ofAccount({ account }: ConnectionReport): object {
  const name = accountName(account);
  return account === mainAccount ? { name_tag: name } : { account: name, name_tag: name };
}

function listed(detail: Detail, had: readonly SubscriptionReport[]): object {
  if (detail === 'none' || had.length === 0) return {};
  const { name, one } = lists[detail];
  return { [name]: had.map(one) };
}

type SubscriptionsById = ReadonlyMap<number, readonly SubscriptionReport[]>;

/** The subscriptions of connections that are open. */
async function subscriptionsOf(sources: Sources, found: readonly Found[]): Promise<SubscriptionsById> {
  const byId = new Map<number, SubscriptionReport[]>();
  const withAny = found.filter((each) => openSubscriptions(each) > 0);
  for (const shard of new Set(withAny.map((each) => each.shard))) {
    const connections = withAny.filter((each) => each.shard === shard).map(({ report }) => report.id);
    for await (const { rows } of sources.walk(
      'subscriptions',
      { connections, account: null, subject: '', max: rowsEach },
      shard,
    ))
      for (const row of rows) {
        const list = byId.get(row.connection);
        if (list === undefined) byId.set(row.connection, [row]);
        else list.push(row);
      }
  }
  return byId;
}

/** All of them. */
const rowsEach = Number.MAX_SAFE_INTEGER;

function describe(report: ConnectionReport): object {
  const { startMs, activeMs, end, rttMs } = report;
  const untilMs = end?.ms ?? Date.now();
  return {
    cid: report.id,
    kind: 'Client',
    type: report.kind,
    ip: report.address,
    port: report.port,
    start: timeOf(startMs),
    last_activity: timeOf(activeMs),
    ...(end === null ? {} : { stop: timeOf(end.ms), reason: closeReason(end.reason) }),
    ...(rttMs > 0 ? { rtt: durationText(rttMs) } : {}),
    uptime: ageText(untilMs - startMs),
    idle: ageText(untilMs - activeMs),
    pending_bytes: report.pendingBytes,
    in_msgs: report.inMessages,
    out_msgs: report.outMessages,
    in_bytes: report.inBytes,
    out_bytes: report.outBytes,
    subscriptions: report.subscriptions,
    ...(report.name === '' ? {} : { name: report.name }),
    ...(report.lang === '' ? {} : { lang: report.lang }),
    ...(report.version === '' ? {} : { version: report.version }),
  };
}
