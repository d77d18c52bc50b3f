import { mainAccount, mainAccountName, systemAccount, systemAccountName } from '../base/account.js';
import { nowText } from '../base/timeText.js';
import { type Answer, answerWith } from './answer.js';
import { timeOf } from './goText.js';
import { type Query, RequestError } from './query.js';
import { type Sources, totals } from './sources.js';
import { subscriptionsOf } from './subsz.js';

const nothing = { msgs: 0, bytes: 0 } as const;
/** What no broker without peers has. */
const byPeers = { gateways: nothing, routes: nothing, leafs: nothing } as const;

const numbers: ReadonlyMap<string, number> = new Map([
  [systemAccountName, systemAccount],
  [mainAccountName, mainAccount],
]);

/** The names of the accounts that there are. */
export function accountNames({ facts }: Pick<Sources, 'facts'>): string[] {
  return facts.hasSystem ? [...numbers.keys()] : [mainAccountName];
}

/** `/accountz`: the accounts, or one of them. */
export async function accountz(sources: Sources, query: Query): Promise<Answer> {
  const named = query.text('acc');
  const { facts } = sources;
  const system = facts.hasSystem ? { system_account: systemAccountName } : {};
  const head = { server_id: facts.info.server_id, now: nowText(), ...system };
  if (named === '') return answerWith({ ...head, accounts: accountNames(sources) });
  return answerWith({ ...head, account_detail: await accountDetail(sources, named) });
}

/** An account as it is. @throws RequestError where there is none of that name */
export async function accountDetail(sources: Sources, name: string): Promise<object> {
  if (!accountNames(sources).includes(name)) throw new RequestError(400, `Account ${name} does not exist`);
  const account = numbers.get(name) as number;
  const { begun, ended } = subscriptionsOf(sources, account);
  const { topics } = await totals(sources);
  const isSystem = account === systemAccount;
  return {
    account_name: name,
    update_time: timeOf(sources.facts.startMs),
    ...(isSystem ? { is_system: true } : {}),
    expired: false,
    complete: true,
    jetstream_enabled: !isSystem,
    leafnode_connections: 0,
    client_connections: connectionsOf(sources, account),
    subscriptions: begun - ended,
    name_tag: name,
    sublist_stats: { num_subscriptions: begun - ended, num_cache: topics, num_inserts: begun, num_removes: ended },
  };
}

/** `/accstatz`: what the accounts have and have done. */
export function accstatz(sources: Sources, query: Query): Answer {
  return answerWith(accountStatistics(sources, accountNames(sources), query.flag('unused')));
}

/** What accounts of these names have and have done, as far as there are any; of those that are not used where that is asked for. */
export function accountStatistics(sources: Sources, names: readonly string[], showsUnused: boolean): object {
  const known = accountNames(sources);
  const shown = names.filter((name) => known.includes(name)).map((name) => statisticsOf(sources, name));
  return {
    server_id: sources.facts.info.server_id,
    now: nowText(),
    account_statz: shown.filter(({ conns }) => showsUnused || conns > 0),
  };
}

/** Messages are counted of all accounts together, which are next to all the main one's. */
export function statisticsOf(sources: Sources, name: string) {
  const account = numbers.get(name) as number;
  const isMain = account === mainAccount;
  const { inMessages, inBytes, outMessages, outBytes, slowConsumers } = sources.tallies;
  const { begun, ended } = subscriptionsOf(sources, account);
  const conns = connectionsOf(sources, account);
  return {
    acc: name,
    name,
    conns,
    leafnodes: 0,
    total_conns: conns,
    num_subscriptions: begun - ended,
    sent: { ...(isMain ? { msgs: outMessages, bytes: outBytes } : nothing), ...byPeers },
    received: { ...(isMain ? { msgs: inMessages, bytes: inBytes } : nothing), ...byPeers },
    slow_consumers: isMain ? slowConsumers : 0,
  };
}

function connectionsOf({ tallies, connections }: Sources, account: number): number {
  const ofSystem = tallies.systemBegun - tallies.systemEnded;
  return account === systemAccount ? ofSystem : connections - ofSystem;
}
