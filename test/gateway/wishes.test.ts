import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wishesPerConnectionMax, wishLengthMax, wishNameBytesPerConnectionMax } from '../../src/base/limits.js';
import { type Asked, parseAsked, type SubscriptionWish } from '../../src/gateway/policies/wish.js';
import { Wishes } from '../../src/gateway/policies/wishes.js';
import { idleConnection, subscribed } from './connections.js';

const read = (fields: Record<string, unknown>): Asked | string => parseAsked(JSON.stringify(fields));

test.each<[string, string]>([
  ['', 'it is not JSON'],
  ['[]', 'it must be a JSON object'],
  ['null', 'it must be a JSON object'],
  ['{"polcy":"block"}', 'unknown field "polcy"'],
  ['{"policy":"drop"}', 'policy must be one of disconnect, drop-new, drop-old, block, conflate'],
  ['{"maxMessages":1}', 'policy must be one of disconnect, drop-new, drop-old, block, conflate'],
  ['{"policy":"block","maxMessages":0}', 'maxMessages must be a whole number from 1 to 16777216'],
  ['{"policy":"block","maxBytes":1e99}', 'maxBytes must be a whole number from 1 to 1073741824'],
  ['{"policy":"conflate","by":"x"}', 'by must be subject or key'],
  ['{"subject":1}', 'subject must be a text'],
  ['{"subject":"a","sid":"1"}', 'give a subject or a sid, not both'],
  ['{"queue":"q"}', 'a queue needs a subject'],
  ['{"last":1}', 'last must be true or false'],
  ['{"notice":true}', 'a notice needs a policy'],
  ['{"lingerUs":-1}', 'lingerUs must be a whole number from 0 to 1000000'],
  ['{"lingerBytes":1}', 'lingerUs must be a whole number from 0 to 1000000'],
  ['{"lingerUs":1,"subject":"a"}', 'lingerUs is for a whole connection'],
])('%s: %s', (json, error) => {
  expect(parseAsked(json)).toBe(error);
});

test('one that is too long is not read', () => {
  const sid = (length: number) => `{"sid":"${'s'.repeat(length - 10)}"}`;
  expect(parseAsked(sid(wishLengthMax))).toMatchObject({ sid: 's'.repeat(wishLengthMax - 10) });
  expect(parseAsked(sid(wishLengthMax + 1))).toBe(`it is longer than ${wishLengthMax} characters`);
});

test('whatever comes is read or refused', () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (json) => void parseAsked(json)));
});

const name = fc.constantFrom('a', 'b');
const asking = fc.oneof(
  fc.record({ sid: name, last: fc.boolean() }),
  fc.record({ subject: name, last: fc.boolean() }),
  fc.record({ subject: name, queue: fc.constantFrom('', 'q'), last: fc.boolean() }),
  fc.record({ last: fc.boolean() }),
);

test('the nearest wish holds: sid, subject and queue, subject, connection', () => {
  fc.assert(
    fc.property(fc.array(asking, { maxLength: 30 }), (askings) => {
      const wishes = new Wishes();
      const model = new Map<string, SubscriptionWish>();
      for (const fields of askings) {
        const asked = read(fields) as Asked;
        expect(wishes.set(asked)).toBe(true);
        const place = `${asked.sid} ${asked.subject} ${asked.queue}`;
        if (asked.wish === null) model.delete(place);
        else model.set(place, asked.wish);
      }
      for (const [sid, subject, queue] of [
        ['a', 'a', ''],
        ['b', 'b', 'q'],
        ['c', 'a', 'q'],
        ['c', 'c', ''],
      ] as const) {
        const subscription = subscribed(idleConnection(1), subject, sid, queue);
        const places = [`${sid} null null`, `null ${subject} ${queue}`, `null ${subject} null`, 'null null null'];
        const found = places.map((place) => model.get(place)).find((wish) => wish !== undefined) ?? null;
        expect(wishes.for(subscription)).toBe(found);
      }
    }),
  );
});

test('their number is bounded; what is taken back, or was for a sid that is gone, makes room', () => {
  const wishes = new Wishes();
  const ask = (fields: Record<string, unknown>): boolean => wishes.set(read(fields) as Asked);
  for (let i = 0; i < wishesPerConnectionMax; i++)
    expect(ask(i % 2 === 0 ? { sid: `${i}`, last: true } : { subject: `s${i}`, last: true })).toBe(true);
  expect(ask({ subject: 'more', last: true })).toBe(false);
  expect(ask({ subject: 's1', policy: 'block' })).toBe(true);
  expect(ask({ subject: 's1' })).toBe(true);
  expect(ask({ subject: 'more', last: true })).toBe(true);
  wishes.ended(subscribed(idleConnection(1), 'x', '0'));
  expect(ask({ subject: 'x', queue: 'q', last: true })).toBe(true);
  expect(ask({ subject: 'x', queue: 'r', last: true })).toBe(false);
});

test('the names that wishes are for take so much and no more; what is taken back makes room', () => {
  const wishes = new Wishes();
  // two names a wish, so that 16 of them are too long by their numbers
  const long = 'x'.repeat(wishNameBytesPerConnectionMax / 32);
  const numbers = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => from + i);
  const ask = (i: number, last: boolean) => wishes.set(read({ subject: `${i}${long}`, queue: long, last }) as Asked);
  expect(numbers(0, 17).map((i) => ask(i, true))).toEqual([...Array(15).fill(true), false, false]);
  // once more is no more
  expect(ask(0, true)).toBe(true);
  for (const i of numbers(0, 15)) ask(i, false);
  expect(numbers(15, 31).map((i) => ask(i, true))).toEqual([...Array(15).fill(true), false]);
  expect(wishes.set(read({ last: true }) as Asked)).toBe(true);
});
