import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  deliveryOptionsLengthMax,
  deliveryOptionsNameBytesMax,
  deliveryOptionsPerConnectionMax,
} from '../../src/base/limits.js';
import {
  type DeliveryOptions,
  type OptionsRequest,
  parseOptionsRequest,
} from '../../src/gateway/policies/deliveryOptions.js';
import { RequestedOptions } from '../../src/gateway/policies/requestedOptions.js';
import { idleConnection, subscribed } from './connections.js';

const read = (fields: Record<string, unknown>): OptionsRequest | string => parseOptionsRequest(JSON.stringify(fields));

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
  expect(parseOptionsRequest(json)).toBe(error);
});

test('one that is too long is not read', () => {
  const sid = (length: number) => `{"sid":"${'s'.repeat(length - 10)}"}`;
  expect(parseOptionsRequest(sid(deliveryOptionsLengthMax))).toMatchObject({
    sid: 's'.repeat(deliveryOptionsLengthMax - 10),
  });
  expect(parseOptionsRequest(sid(deliveryOptionsLengthMax + 1))).toBe(
    `it is longer than ${deliveryOptionsLengthMax} characters`,
  );
});

test('whatever comes is read or refused', () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (json) => void parseOptionsRequest(json)));
});

const name = fc.constantFrom('a', 'b');
const asking = fc.oneof(
  fc.record({ sid: name, last: fc.boolean() }),
  fc.record({ subject: name, last: fc.boolean() }),
  fc.record({ subject: name, queue: fc.constantFrom('', 'q'), last: fc.boolean() }),
  fc.record({ last: fc.boolean() }),
);

test('the nearest options holds: sid, subject and queue, subject, connection', () => {
  fc.assert(
    fc.property(fc.array(asking, { maxLength: 30 }), (askings) => {
      const requested = new RequestedOptions();
      const model = new Map<string, DeliveryOptions>();
      for (const fields of askings) {
        const asked = read(fields) as OptionsRequest;
        expect(requested.set(asked)).toBe(true);
        const place = `${asked.sid} ${asked.subject} ${asked.queue}`;
        if (asked.options === null) model.delete(place);
        else model.set(place, asked.options);
      }
      for (const [sid, subject, queue] of [
        ['a', 'a', ''],
        ['b', 'b', 'q'],
        ['c', 'a', 'q'],
        ['c', 'c', ''],
      ] as const) {
        const subscription = subscribed(idleConnection(1), subject, sid, queue);
        const places = [`${sid} null null`, `null ${subject} ${queue}`, `null ${subject} null`, 'null null null'];
        const found = places.map((place) => model.get(place)).find((options) => options !== undefined) ?? null;
        expect(requested.for(subscription)).toBe(found);
      }
    }),
  );
});

test('their number is bounded; what is taken back, or was for a sid that is gone, makes room', () => {
  const requested = new RequestedOptions();
  const ask = (fields: Record<string, unknown>): boolean => requested.set(read(fields) as OptionsRequest);
  for (let i = 0; i < deliveryOptionsPerConnectionMax; i++)
    expect(ask(i % 2 === 0 ? { sid: `${i}`, last: true } : { subject: `s${i}`, last: true })).toBe(true);
  expect(ask({ subject: 'more', last: true })).toBe(false);
  expect(ask({ subject: 's1', policy: 'block' })).toBe(true);
  expect(ask({ subject: 's1' })).toBe(true);
  expect(ask({ subject: 'more', last: true })).toBe(true);
  requested.ended(subscribed(idleConnection(1), 'x', '0'));
  expect(ask({ subject: 'x', queue: 'q', last: true })).toBe(true);
  expect(ask({ subject: 'x', queue: 'r', last: true })).toBe(false);
});

test('the names that requested are for take so much and no more; what is taken back makes room', () => {
  const requested = new RequestedOptions();
  // two names in each, so that 16 of them are too long by their numbers
  const long = 'x'.repeat(deliveryOptionsNameBytesMax / 32);
  const numbers = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => from + i);
  const ask = (i: number, last: boolean) =>
    requested.set(read({ subject: `${i}${long}`, queue: long, last }) as OptionsRequest);
  expect(numbers(0, 17).map((i) => ask(i, true))).toEqual([...Array(15).fill(true), false, false]);
  // once more is no more
  expect(ask(0, true)).toBe(true);
  for (const i of numbers(0, 15)) ask(i, false);
  expect(numbers(15, 31).map((i) => ask(i, true))).toEqual([...Array(15).fill(true), false]);
  expect(requested.set(read({ last: true }) as OptionsRequest)).toBe(true);
});
