import { latin1Bytes } from '../base/bytes.js';
import { monitorRowsMax } from '../base/limits.js';
import type { SubscriptionReport } from '../base/reports.js';
import { classifySubject } from '../protocol/subject.js';
import { type Answer, answerPieces, answerWith, openObject } from './answer.js';
import { FirstOf } from './firstOf.js';
import { nowText } from './goText.js';
import { type Query, RequestError, readPage } from './query.js';
import { fromAllShards, type Sources, totals } from './sources.js';
import { account, subscriptionDetail } from './subscriptionDetail.js';

/** `/subsz`: the subscriptions, in all, and a page of them where they are asked for. */
export async function subsz(sources: Sources, query: Query): Promise<Answer> {
  const asksForList = query.flag('subs');
  const page = readPage(query);
  const test = query.text('test');
  if (test !== '' && !isLiteral(test))
    throw new RequestError(400, `invalid test subject, must be valid publish subject: ${test}`);
  const { subscribed, unsubscribed } = sources.tallies;
  const { topics } = await totals(sources);
  const isNone = query.text('acc') !== '' && query.text('acc') !== account;
  const listed = asksForList && !isNone ? await list(sources, test, page.offset, page.limit) : null;
  const head = {
    server_id: sources.facts.info.server_id,
    now: nowText(),
    num_subscriptions: isNone ? 0 : subscribed - unsubscribed,
    num_cache: topics,
    num_inserts: subscribed,
    num_removes: unsubscribed,
    total: listed?.total ?? 0,
    ...page,
  };
  return listed === null || listed.page.length === 0 ? answerWith(head) : answerPieces(pieces(head, listed.page));
}

async function* pieces(head: object, page: readonly SubscriptionReport[]): AsyncGenerator<string> {
  yield `${openObject(head)},\n  "subscriptions_list": [`;
  let separator = '';
  for (const each of page) {
    yield `${separator}\n${JSON.stringify({ account, account_tag: account, ...subscriptionDetail(each) })}`;
    separator = ',';
  }
  yield ']\n}';
}

interface Listed {
  readonly page: readonly SubscriptionReport[];
  readonly total: number;
}

async function list(sources: Sources, subject: string, offset: number, limit: number): Promise<Listed> {
  const end = Math.min(offset + limit, monitorRowsMax);
  const first = new FirstOf<SubscriptionReport>(end, (one, other) => one.connection - other.connection);
  let total = 0;
  for await (const [, { rows, passed }] of fromAllShards(sources, 'subscriptions', {
    connections: null,
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
