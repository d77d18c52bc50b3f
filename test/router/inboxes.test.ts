import fc from 'fast-check';
import { expect, test } from 'vitest';
import { demand } from '../../src/base/demand.js';
import { Span } from '../../src/base/span.js';
import { subjectMatches } from '../../src/protocol/subject.js';
import { noHome, type Topic } from '../../src/router/topic.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

// Invariant 43 of docs/INVARIANTS.md.

const shards = 3;
const name = fc.constantFrom('a', 'b', 'c');
const subject = fc.array(name, { minLength: 2, maxLength: 3 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('*')), { maxLength: 3 }), fc.oneof(name, fc.constantFrom('*', '>')))
  .map(([tokens, last]) => [...tokens, last].join('.'));
const inbox = fc
  .tuple(subject, fc.constantFrom('*', '>'))
  .map(([text, last]) => `${text.slice(0, text.lastIndexOf('.'))}.${last}`);
/** Somebody who subscribes, at one of the gateways, and may await answers there. */
const taker = fc.record({
  gateway: fc.nat(shards - 1),
  pattern: fc.oneof(pattern, subject, inbox, inbox),
  queue: fc.constantFrom('', '', '', 'q'),
  awaits: fc.boolean(),
});
type Taker = typeof taker extends fc.Arbitrary<infer T> ? T : never;

/** Only what is spelled out but for the last token is ever claimed. */
function mayAwait(pattern: string): boolean {
  return !pattern.slice(0, -1).includes('*') && pattern.includes('.');
}

function findAt({ router }: RouterUnderTest, text: string): Topic | null {
  const span = new Span(Buffer.from(text));
  const inbox = router.inboxes.find(span, 0, text.length);
  if (inbox === null) return null;
  router.freshen(inbox);
  return router.inboxes.serves(inbox, span, 0, text.length) ? inbox : null;
}

function subscribe({ router }: RouterUnderTest, { gateway, pattern, queue, awaits }: Taker): void {
  const { interest } = router;
  if (queue !== '') interest.setQueue(pattern, queue, gateway, 1);
  else if (gateway === router.self) interest.addLocal(subscriptionTo(pattern));
  else interest.setPlain(pattern, gateway, demand.all);
  if (queue !== '' || !awaits || !mayAwait(pattern)) return;
  if (gateway === router.self) interest.claimInbox(interest.find(pattern)!);
  else interest.setInbox(pattern, gateway);
}

/** Who awaits answers at a subject: it takes exactly that, or all that differ from it in the last token. */
function homeOf(takers: readonly Taker[], text: string): number {
  const prefix = text.slice(0, text.lastIndexOf('.'));
  const own = [text, `${prefix}.*`, `${prefix}.>`];
  const homes = takers.filter(({ pattern, queue, awaits }) => awaits && queue === '' && own.includes(pattern));
  return homes.length === 0 ? noHome : Math.min(...homes.map(({ gateway }) => gateway));
}

test('an address goes without a topic of its own only where all of its inbox are taken by the same, and to the same shard as with one', () => {
  let stood = 0;
  fc.assert(
    fc.property(fc.array(taker, { maxLength: 6 }), fc.array(subject, { minLength: 1 }), (takers, subjects) => {
      // a queue group's member that is remote to itself is no case
      const under = new RouterUnderTest(1, shards);
      for (const each of takers)
        subscribe(under, each.gateway === 1 && each.queue !== '' ? { ...each, gateway: 0 } : each);
      for (const text of subjects) {
        const inbox = findAt(under, text);
        const topic = under.topic(text);
        expect(topic.home).toBe(homeOf(takers, text));
        if (inbox === null) continue;
        stood++;
        expect([inbox.home >= 0, inbox.owner, inbox.allowed]).toEqual([true, topic.owner, true]);
        expect([inbox.remotes, inbox.wantedHere]).toEqual([topic.remotes, topic.wantedHere]);
        expect(takers.some(({ pattern, queue }) => queue !== '' && subjectMatches(pattern, text))).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
  expect(stood).toBeGreaterThan(200);
});

const take = (gateway: number, pattern: string, awaits = true, queue: '' | 'q' = ''): Taker => ({
  gateway,
  pattern,
  awaits,
  queue,
});

test('one topic stands for a million addresses, whatever the prefix', () => {
  const under = new RouterUnderTest(1, shards);
  subscribe(under, take(2, 'my.own.prefix.*'));
  const before = under.router.topics.size;
  for (let i = 0; i < 1_000_000; i += 101) expect(findAt(under, `my.own.prefix.${i}`)?.owner).toBe(2);
  expect(under.router.topics.size).toBe(before + 1);
  expect(findAt(under, 'my.own.other.1')).toBeNull();
  expect(findAt(under, 'my.own.prefix.1.2')).toBeNull();
});

test('who takes one of the addresses, or may lose its place in a group, has all go as topics, and none when it has gone', () => {
  const under = new RouterUnderTest(1, shards);
  subscribe(under, take(2, 'in.1.*'));
  const { interest } = under.router;
  const others = [take(0, 'in.1.x', false), take(0, 'in.*.x', false), take(0, '>', false, 'q')];
  for (const { pattern, queue } of others) {
    const set = (wanted: boolean) =>
      queue === ''
        ? interest.setPlain(pattern, 0, wanted ? demand.all : demand.none)
        : interest.setQueue(pattern, queue, 0, wanted ? 1 : 0);
    set(true);
    expect(findAt(under, 'in.1.x'), pattern).toBeNull();
    set(false);
    expect(findAt(under, 'in.1.x')?.owner, pattern).toBe(2);
  }
});

test('routes and what else names an address come first', () => {
  const under = new RouterUnderTest(1, shards);
  subscribe(under, take(2, 'in.1.*'));
  under.router.setOwner('in.1.x', 0);
  expect([findAt(under, 'in.1.x'), findAt(under, 'in.1.y')]).toEqual([null, null]);
  expect([under.topic('in.1.x').owner, under.topic('in.1.y').owner]).toEqual([0, 2]);
  under.router.setOwner('in.1.x', -1);
  expect(findAt(under, 'in.1.x')?.owner).toBe(2);
  under.router.setRefusing(['in.>']);
  expect(findAt(under, 'in.1.x')).toBeNull();
  under.router.setRefusing([]);
  expect(findAt(under, 'in.1.x')?.owner).toBe(2);
});

test('an address ends with the interest of whoever awaited answers', () => {
  const under = new RouterUnderTest(1, shards);
  subscribe(under, take(2, 'in.1.*'));
  subscribe(under, take(0, 'in.1.*', false));
  expect([under.topic('in.1.x').home, findAt(under, 'in.1.y')?.owner]).toEqual([2, 2]);
  under.router.interest.setPlain('in.1.*', 2, demand.none);
  expect([under.topic('in.1.x').home, findAt(under, 'in.1.y')]).toEqual([noHome, null]);
  expect(under.router.interest.anyInbox).toBe(false);
});
