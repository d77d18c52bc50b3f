import { type Answer, answerWith } from './answer.js';
import { nowText, timeOf } from './goText.js';
import { type Query, RequestError } from './query.js';
import { type Sources, totals } from './sources.js';
import { account } from './subscriptionDetail.js';

const nothing = { msgs: 0, bytes: 0 } as const;
/** What no broker without peers has. */
const byPeers = { gateways: nothing, routes: nothing, leafs: nothing } as const;

/** `/accountz`: the accounts, or one of them. */
export async function accountz(sources: Sources, query: Query): Promise<Answer> {
  const named = query.text('acc');
  const { facts } = sources;
  const head = { server_id: facts.info.server_id, now: nowText() };
  if (named === '') return answerWith({ ...head, accounts: [account] });
  if (named !== account) throw new RequestError(400, `Account ${named} does not exist`);
  const { subscribed, unsubscribed } = sources.tallies;
  const { topics } = await totals(sources);
  const subscriptions = subscribed - unsubscribed;
  return answerWith({
    ...head,
    account_detail: {
      account_name: account,
      update_time: timeOf(facts.startMs),
      expired: false,
      complete: true,
      jetstream_enabled: true,
      leafnode_connections: 0,
      client_connections: sources.connections,
      subscriptions,
      name_tag: account,
      sublist_stats: {
        num_subscriptions: subscriptions,
        num_cache: topics,
        num_inserts: subscribed,
        num_removes: unsubscribed,
      },
    },
  });
}

/** `/accstatz`: what the accounts have and have done. */
export function accstatz({ facts, tallies, connections }: Sources, query: Query): Answer {
  query.flag('unused');
  const { inMessages, inBytes, outMessages, outBytes, slowConsumers, subscribed, unsubscribed } = tallies;
  return answerWith({
    server_id: facts.info.server_id,
    now: nowText(),
    account_statz: [
      {
        acc: account,
        name: account,
        conns: connections,
        leafnodes: 0,
        total_conns: connections,
        num_subscriptions: subscribed - unsubscribed,
        sent: { msgs: outMessages, bytes: outBytes, ...byPeers },
        received: { msgs: inMessages, bytes: inBytes, ...byPeers },
        slow_consumers: slowConsumers,
      },
    ],
  });
}
