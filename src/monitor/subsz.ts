import { accountName, systemAccount } from '../base/account.js';
import { latin1Bytes } from '../base/bytes.js';
import { monitorRowsMax } from '../base/limits.js';
import type { SubscriptionReport } from '../base/reports.js';
import { nowText } from '../base/timeText.js';
import { classifySubject } from '../protocol/subject.js';
import { type Answer, answerPieces, answerWith, openObject } from './answer.js';
import { FirstOf } from './firstOf.js';
import { type PageAsked, type Query, RequestError, readPage } from './query.js';
import { fromAllShards, type Sources, totals } from './sources.js';
import { accountNamed, nobody, subscriptionDetail } from './subscriptionDetail.js';

/** `/subsz`: the subscriptions, in all, and a page of them where they are asked for. */
export async function subsz(sources: Sources, query: Query): Promise<Answer> {
  const asksForList = query.flag('subs');
  const page = readPage(query);
  const test = query.text('test');
  if (test !== '' && !isLiteral(test))
    throw new RequestError(400, `invalid test subject, must be valid publish subject: ${test}`);
  const asked = accountNamed(query.text('acc'), sources);
  const { begun, ended } = subscriptionsOf(sources, asked);
  const { topics } = await totals(sources);
  const listed = asksForList ? await list(sources, asked, test, page) : null;
  const head = {
    server_id: sources.facts.info.server_id,
    now: nowText(),
    num_subscriptions: begun - ended,
    num_cache: topics,
    num_inserts: begun,
    num_removes: ended,
    total: listed?.total ?? 0,
    ...page,
  };
  return listed === null || listed.page.length === 0 ? answerWith(head) : answerPieces(pieces(head, listed.page));
}

/** Subscriptions that have begun and ended, of an account or, with null, of all. */
export function subscriptionsOf(
  { tallies }: Pick<Sources, 'tallies'>,
  account: number | null,
): { readonly begun: number; readonly ended: number } {
  const { subscribed, unsubscribed, systemSubscribed, systemUnsubscribed } = tallies;
  if (account === null) return { begun: subscribed, ended: unsubscribed };
  if (account === nobody) return { begun: 0, ended: 0 };
  if (account === systemAccount) return { begun: systemSubscribed, ended: systemUnsubscribed };
  return { begun: subscribed - systemSubscribed, ended: unsubscribed - systemUnsubscribed };
}

async function* pieces(head: object, page: readonly SubscriptionReport[]): AsyncGenerator<string> {
  yield `${openObject(head)},\n  "subscriptions_list": [`;
  let separator = '';
  for (const each of page) {
    const name = accountName(each.account);
    yield `${separator}\n${JSON.stringify({ account: name, account_tag: name, ...subscriptionDetail(each) })}`;
    separator = ',';
  }
  yield ']\n}';
}

interface Listed {
  readonly page: readonly SubscriptionReport[];
  readonly total: number;
}

async function list(
  sources: Sources,
  account: number | null,
  subject: string,
  { offset, limit }: PageAsked,
): Promise<Listed> {
  const end = Math.min(offset + limit, monitorRowsMax);
  const first = new FirstOf<SubscriptionReport>(end, (one, other) => one.connection - other.connection);
  let total = 0;
  for await (const [, { rows, passed }] of fromAllShards(sources, 'subscriptions', {
    connections: null,
    account,
    subject,
    max: end,
  })) {
    total += rows.length + passed;
    for (const row of rows) first.add(row);
  }
  return { page: first.sorted().slice(offset), total };
}

function isLiteral(subject: string): boolean {
  const bytes = latin1Bytes(subject);
  return classifySubject(bytes, 0, bytes.length) === 'literal';
}
