import { expect, test } from 'vitest';
import { Decoding } from '../../../src/stream/api/decoding.js';
import { isEmptyBody, looksLikeJson } from '../../../src/stream/api/requests.js';
import { readGroup, readPause, readReset } from '../../../src/stream/consumer/changes.js';
import { PullRefusal, readPull } from '../../../src/stream/consumer/pullRequest.js';
import { readConsumerConfig } from '../../../src/stream/consumerConfig.js';

// Bodies and words were compared with nats-server 2.15.1.

test('a change without a body is none, but for whose pin it is', () => {
  expect([readReset(''), readReset('{}'), readPause(''), readPause('{}')]).toEqual([0, 0, null, null]);
  expect(() => readGroup('')).toThrow('invalid JSON: unexpected end of JSON input');
  expect(readGroup('{}')).toBe('');
});

test('a request for a change is one value, and what is wrong with it is told without where', () => {
  expect(readReset('{"seq":7,"other":1}')).toBe(7);
  for (const read of [readReset, readGroup])
    expect(() => read('{}{}')).toThrow("invalid JSON: invalid character '{' after top-level value");
  expect(() => readReset('{"seq":01}')).toThrow(/invalid character '1' after object key:value pair$/);
  expect(() => readPause('{"pause_until":01}')).toThrow(/ at offset 17$/);
});

test('blanks of JSON are blanks, and nothing else is', () => {
  expect([isEmptyBody(' {\t} \r\n'), isEmptyBody('\ufeff{}'), isEmptyBody('\u00a0{}')]).toEqual([true, false, false]);
  expect([looksLikeJson('\n{'), looksLikeJson('\ufeff{')]).toEqual([true, false]);
});

test.each([
  ['{}{}', "400 Bad Request - invalid character '{' after top-level value"],
  ['{"batch":1', '400 Bad Request - unexpected end of JSON input'],
  ['{"min_pending":-1}', '400 Bad Request - Not a Overflow Priority consumer'],
  ['{"min_ack_pending":-1}', '400 Bad Request - Not a Overflow Priority consumer'],
])('a request for messages that is %s is refused', (body, why) => {
  const config = readConsumerConfig(new Map(), new Decoding('ConsumerConfig'));
  expect(() => readPull(body, config)).toThrow(new PullRefusal(why));
});

test('a request for messages that is neither an object nor a number is one for a message', () => {
  const config = readConsumerConfig(new Map(), new Decoding('ConsumerConfig'));
  for (const body of ['', '[5]', '\ufeff{"batch":5}', 'x']) expect(readPull(body, config).batch).toBe(1);
  for (const body of ['5', ' 5\n', ' {"batch":5}']) expect(readPull(body, config).batch).toBe(5);
});
