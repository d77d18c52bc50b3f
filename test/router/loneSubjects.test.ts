import fc from 'fast-check';
import { expect, test } from 'vitest';
import { demand } from '../../src/base/demand.js';
import { loneSubjectBytesMax, loneTopicsMin } from '../../src/base/limits.js';
import { Span } from '../../src/base/span.js';
import { LoneSubjects } from '../../src/router/loneSubjects.js';
import { SubjectRules } from '../../src/router/subjectRules.js';
import { RouterUnderTest, subscriptionTo } from './brokerModel.js';

// Invariant 42 of docs/INVARIANTS.md.

const shards = 3;
const streamShard = 1;

class Site extends RouterUnderTest {
  size = loneTopicsMin;
  readonly rules = new SubjectRules([]);
  readonly lone: LoneSubjects;

  constructor(rules?: SubjectRules) {
    super(streamShard, shards);
    const { interest, routes, topics } = this.router;
    const size = () => this.size;
    const table = Object.create(topics, { size: { get: size } });
    this.lone = new LoneSubjects({ interest, routes, topics: table }, rules ?? this.rules);
  }

  stream(pattern: string, owner = streamShard): void {
    this.router.setOwner(pattern, owner);
  }

  subscribe(pattern: string, gateway = streamShard): void {
    const { interest } = this.router;
    if (gateway === streamShard) interest.addLocal(subscriptionTo(pattern));
    else interest.setPlain(pattern, gateway, demand.all);
  }

  /** Whether a subject needs no topic behind one that is published to a topic. */
  isLone(subject: string, topic: string): boolean {
    const span = new Span(Buffer.from(`PUB ${subject} 0`, 'latin1'));
    return this.lone.beside(this.topic(topic)) && this.lone.has(span, 4, 4 + subject.length);
  }
}

const name = fc.constantFrom('a', 'b', 'c');
const pattern = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('*')), { maxLength: 2 }), fc.oneof(name, fc.constantFrom('*', '>')))
  .map(([tokens, last]) => [...tokens, last].join('.'));
const subject = fc.array(name, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const look = fc.record({ kind: fc.constant('look' as const), subject, topic: subject });
const lookBelow = look.map(({ kind, ...texts }) => ({
  kind,
  subject: `b.${texts.subject}`,
  topic: `b.${texts.topic}`,
}));
const step = fc.oneof(
  fc.record({ kind: fc.constant('subscribe' as const), pattern, gateway: fc.nat(shards - 1) }),
  look,
  lookBelow,
  lookBelow,
);
const streams = fc.subarray(['a.b.>', 'a.c.>', 'b.>', 'c.*.>', 'a.a', 'a.a.*'], { minLength: 1 });

test('a lone subject is one whose topic would go to the same stream, and to nobody else', () => {
  let lone = 0;
  fc.assert(
    fc.property(streams, fc.array(step, { maxLength: 12 }), (patterns, steps) => {
      const site = new Site();
      for (const each of patterns) site.stream(each);
      for (const each of steps) {
        if (each.kind === 'subscribe') site.subscribe(each.pattern, each.gateway);
        else if (site.topic(each.topic).captured && site.isLone(each.subject, each.topic)) {
          lone++;
          const topic = site.topic(each.subject);
          expect([topic.captured, topic.wanted, topic.kind]).toEqual([true, false, 'literal']);
          const { routes } = site.router;
          expect(routes.find(each.subject)).toBe(routes.find(each.topic));
        }
      }
    }),
    { numRuns: 1000 },
  );
  expect(lone).toBeGreaterThan(100);
});

test('subjects are lone where there are many topics, and no longer than a bound', () => {
  const site = new Site();
  site.stream('a.>');
  const longest = `a.${'x'.repeat(loneSubjectBytesMax - 2)}`;
  expect([site.isLone('a.b', 'a.c'), site.isLone(longest, 'a.c')]).toEqual([true, true]);
  expect(site.isLone(`${longest}x`, 'a.c')).toBe(false);
  site.size = loneTopicsMin - 1;
  expect(site.isLone('a.b', 'a.c')).toBe(false);
});

test.each(['a', 'a.', 'a..b', 'a.*', 'a.>', 'a.b\0', 'b.c', 'a.b.'])('%j is not lone', (subject) => {
  const site = new Site();
  site.stream('a.>');
  expect(site.isLone('a.b', 'a.c')).toBe(true);
  expect(site.isLone(subject, 'a.c')).toBe(false);
});

test.each([
  ['what may be published to is declared', (rules: SubjectRules) => rules.setDeclared(['a.>'])],
  ['something refuses while it is full', (rules: SubjectRules) => rules.setRefusing(['a.b'])],
])('no subject is lone where %s', (_, say) => {
  const site = new Site();
  site.stream('a.>');
  expect(site.isLone('a.b', 'a.c')).toBe(true);
  say(site.rules);
  expect(site.isLone('a.b', 'a.c')).toBe(false);
});

test('no subject is lone where last values are kept, or of a service', () => {
  const keeping = new Site(new SubjectRules(['z']));
  keeping.stream('a.>');
  expect(keeping.isLone('a.b', 'a.c')).toBe(false);
  const site = new Site();
  site.stream('$a.>');
  expect(site.isLone('$a.b', '$a.c')).toBe(false);
});

test('what was lone is not when its stream has gone, or somebody has come, and again when he has left', () => {
  const site = new Site();
  site.stream('a.>');
  expect(site.isLone('a.b', 'a.c')).toBe(true);
  const { interest } = site.router;
  interest.setPlain('a.b', 2, demand.all);
  expect(site.isLone('a.d', 'a.c')).toBe(false);
  interest.setPlain('a.b', 2, demand.none);
  expect(site.isLone('a.d', 'a.c')).toBe(true);
  site.router.setOwner('a.>', -1);
  expect(site.isLone('a.d', 'a.c')).toBe(false);
});
