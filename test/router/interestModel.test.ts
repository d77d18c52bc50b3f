import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { type Demand, demand } from '../../src/base/demand.js';
import { subjectMatches } from '../../src/protocol/subject.js';
import type { LocalSubscription } from '../../src/router/interestEntry.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

const shards = 3;
const self = 1;
const subjects = ['a', 'a.b', 'a.b.c', 'b.c', '$SYS.x', '_INBOX.1'];
const pattern = fc.constantFrom('a', 'a.b', 'b.c', 'a.*', 'a.>', '*.c', '>', '*', '$SYS.>', '_INBOX.*', '_INBOX.1');
const queue = fc.constantFrom('', '', 'q', 'r');
const accounts = [mainAccount, 7];
const account = fc.constantFrom(...accounts);

const step = fc.oneof(
  fc.record({ kind: fc.constant('subscribe' as const), subject: pattern, queue, account }),
  fc.record({ kind: fc.constant('unsubscribe' as const), which: fc.nat(), account }),
  fc.record({
    kind: fc.constant('plain' as const),
    subject: pattern,
    gateway: fc.constantFrom(0, 2),
    wanted: fc.constantFrom(...Object.values(demand)),
    account,
  }),
  fc.record({
    kind: fc.constant('queue' as const),
    subject: pattern,
    queue: fc.constantFrom('q', 'r'),
    gateway: fc.constantFrom(0, 2),
    members: fc.nat(3),
    account,
  }),
);

/** All interest of one account as plain lists. */
class Model {
  readonly local: LocalSubscription[] = [];
  readonly plain = new Map<string, Demand>();
  readonly queues = new Map<string, { subject: string; queue: string; gateway: number; members: number }>();

  plainGateways(subject: string): number[] {
    const gateways = new Set<number>();
    for (const each of this.plain.keys()) {
      const [gateway, wanted] = each.split(' ') as [string, string];
      if (subjectMatches(wanted, subject)) gateways.add(Number(gateway));
    }
    return [...gateways].sort();
  }

  /** What a gateway subscribed to takes the subject, if all of it can do without some messages. */
  lossySubjects(subject: string, gateway: number): string[] | null {
    const taking = [...this.plain].filter(([each]) => {
      const [of, wanted] = each.split(' ') as [string, string];
      return Number(of) === gateway && subjectMatches(wanted, subject);
    });
    if (taking.some(([, wanted]) => wanted === demand.all)) return null;
    return taking.map(([each]) => each.split(' ')[1]!).sort();
  }

  wantedHere(subject: string): boolean {
    return this.local.some((each) => each.queue === '' && subjectMatches(each.subject, subject));
  }

  /** Members by gateway of every queue group that takes the subject. */
  queueCounts(subject: string): Record<string, number[]> {
    const counts: Record<string, number[]> = {};
    const count = (name: string, gateway: number, members: number) => {
      counts[name] ??= Array.from({ length: shards }, () => 0);
      counts[name]![gateway]! += members;
    };
    for (const each of this.local)
      if (each.queue !== '' && subjectMatches(each.subject, subject)) count(each.queue, self, 1);
    for (const each of this.queues.values())
      if (each.members > 0 && subjectMatches(each.subject, subject)) count(each.queue, each.gateway, each.members);
    return counts;
  }
}

test('after any change, a topic that is freshened knows just who wants it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const under = new RouterUnderTest(self, shards);
      const { interest } = under.router;
      const models = new Map(accounts.map((account) => [account, new Model()]));
      for (const each of steps) {
        const { account } = each;
        const model = models.get(account)!;
        if (each.kind === 'subscribe') {
          const subscription = subscriptionTo(each.subject, each.queue, false, account);
          interest.addLocal(subscription);
          model.local.push(subscription);
        } else if (each.kind === 'unsubscribe') {
          if (model.local.length === 0) continue;
          interest.removeLocal(model.local.splice(each.which % model.local.length, 1)[0]!);
        } else if (each.kind === 'plain') {
          interest.setPlain(each.subject, each.gateway, each.wanted, account);
          if (each.wanted !== demand.none) model.plain.set(`${each.gateway} ${each.subject}`, each.wanted);
          else model.plain.delete(`${each.gateway} ${each.subject}`);
        } else {
          interest.setQueue(each.subject, each.queue, each.gateway, each.members, undefined, account);
          model.queues.set(`${each.gateway} ${each.subject} ${each.queue}`, each);
        }
        for (const [account, model] of models)
          for (const subject of subjects) {
            const topic = under.topic(subject, account);
            const queues = model.queueCounts(subject);
            expect(topic.wantedHere).toBe(model.wantedHere(subject));
            expect([...topic.remotes].sort()).toEqual(model.plainGateways(subject));
            for (const gateway of topic.remotes)
              expect(under.router.lossySubjects(topic, gateway)?.toSorted() ?? null).toEqual(
                model.lossySubjects(subject, gateway),
              );
            expect(Object.fromEntries(topic.queues.map((route) => [route.name.text, [...route.counts]]))).toEqual(
              queues,
            );
            expect(
              topic.queues.every((route) => route.total === route.counts.reduce((sum, count) => sum + count, 0)),
            ).toBe(true);
            expect(topic.wanted).toBe(topic.wantedHere || topic.remotes.length > 0 || topic.queues.length > 0);
            const locals = topic.entries.flatMap((entry) => entry.local);
            expect(new Set(locals)).toEqual(
              new Set(model.local.filter((local) => subjectMatches(local.subject, subject))),
            );
            expect(locals.length).toBe(new Set(locals).size);
          }
      }
      // and when all have gone, nothing is left
      for (const [account, model] of models) {
        for (const local of model.local) interest.removeLocal(local);
        for (const each of model.plain.keys())
          interest.setPlain(each.split(' ')[1]!, Number(each.split(' ')[0]), demand.none, account);
        for (const each of model.queues.values())
          interest.setQueue(each.subject, each.queue, each.gateway, 0, undefined, account);
      }
      expect(interest.size).toBe(0);
      expect(interest.queueNames.size).toBe(0);
    }),
    { numRuns: 200 },
  );
});
