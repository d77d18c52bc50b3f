import { monitorRowsMax } from '../base/limits.js';
import type { ConnectionReport, SubscriptionReport } from '../base/reports.js';
import { type Answer, answerPieces, listItems, openObject } from './answer.js';
import { closeReason } from './closeReasons.js';
import { type Compare, readSort } from './connectionSort.js';
import { FirstOf } from './firstOf.js';
import { ageText, durationText, nowText, timeOf } from './goText.js';
import { type PageAsked, type Query, RequestError, readPage } from './query.js';
import { fromAllShards, type Sources } from './sources.js';
import { account, subscriptionDetail } from './subscriptionDetail.js';

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
  readonly account: string;
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
  const asked = readAsked(query);
  const first = new FirstOf<Found>(Math.min(asked.offset + asked.limit, monitorRowsMax), (one, other) =>
    asked.compare(one.report, other.report),
  );
  const { state, id, user } = asked;
  // none is of another account, nor of MQTT
  const isAny = (asked.account === '' || asked.account === account) && asked.mqttClient === '';
  let total = 0;
  for await (const [shard, { rows, passed }] of fromAllShards(sources, 'connections', { state, id, user })) {
    total += rows.length + passed;
    if (isAny) for (const report of rows) first.add({ report, shard });
  }
  const page = first.sorted().slice(asked.offset, asked.offset + asked.limit);
  return answerPieces(pieces(sources, asked, page, total));
}

function readAsked(query: Query): Asked {
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
    account: query.text('acc'),
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

async function* items(sources: Sources, asked: Asked, page: readonly Found[]): AsyncGenerator<string> {
  const step = asked.detail === 'none' ? page.length : connectionsTogether;
  for (let from = 0; from < page.length; from += step) {
    const some = page.slice(from, from + step);
    const subscriptions = asked.detail === 'none' ? null : await subscriptionsOf(sources, some);
    for (const { report } of some) yield JSON.stringify(shown(asked, report, subscriptions));
  }
}

/** Subscriptions of so many connections are asked for together. */
const connectionsTogether = 128;

function shown(asked: Asked, report: ConnectionReport, all: SubscriptionsById | null): object {
  const had = report.had ?? all?.get(report.id) ?? [];
  const lists =
    all === null || had.length === 0
      ? {}
      : asked.detail === 'all'
        ? { subscriptions_list_detail: had.map(subscriptionDetail) }
        : { subscriptions_list: had.map(({ subject }) => subject) };
  const user = report.user === '' ? {} : { authorized_user: report.user };
  return { ...describe(report), ...lists, ...(asked.showsUser ? { ...user, name_tag: account } : {}) };
}

type SubscriptionsById = ReadonlyMap<number, readonly SubscriptionReport[]>;

/** The subscriptions of connections that are open. */
async function subscriptionsOf(sources: Sources, found: readonly Found[]): Promise<SubscriptionsById> {
  const byId = new Map<number, SubscriptionReport[]>();
  const withAny = found.filter(({ report }) => report.end === null && report.subscriptions > 0);
  for (const shard of new Set(withAny.map((each) => each.shard))) {
    const connections = withAny.filter((each) => each.shard === shard).map(({ report }) => report.id);
    for await (const { rows } of sources.walk('subscriptions', { connections, subject: '', max: rowsEach }, shard))
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
