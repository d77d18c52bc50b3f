import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonCommand } from '../../src/protocol/jsonCommand.js';

const parse = (value: unknown) => parseJsonCommand(JSON.stringify(value));
const publish = { command: 'PUB', topic: 'test', payload: '100' };

test('the commands of the README', () => {
  expect(parse({ command: 'SUB', topic: 'test' })).toEqual({
    command: 'SUB',
    topic: 'test',
    group: '',
    prefetch: 0,
    terms: { ackWaitMs: 30_000, maxDeliver: 0, deadLetter: '' },
    durable: null,
    durableName: '',
    options: null,
    id: null,
  });
  expect(
    parse({ command: 'SUB', topic: 'a', group: { name: 'g', orderedBy: 'key' }, policy: 'drop-old', maxMessages: 1 }),
  ).toMatchObject({ group: 'g@key', options: { policy: 'drop-old', maxMessages: 1 } });
  expect(parse({ command: 'unsub', topic: 'a.*', group: 'g', id: 7 })).toEqual({
    command: 'UNSUB',
    topic: 'a.*',
    group: 'g',
    durableName: '',
    id: '7',
  });
  expect(parse({ ...publish, id: 'x"y' })).toEqual({
    command: 'PUB',
    topic: 'test',
    reply: '',
    block: '',
    payload: { text: '100', encoding: 'utf8' },
    id: '"x\\"y"',
  });
  expect(
    parse({ ...publish, key: 'k', headers: { A: ['1', '2'] }, traceparent: 't', correlationId: 'é' }),
  ).toMatchObject({
    block: Buffer.from(
      'NATS/1.0\r\nShardcast-Key: k\r\ntraceparent: t\r\nCorrelation-Id: é\r\nA: 1\r\nA: 2\r\n\r\n',
    ).toString('latin1'),
  });
  expect(parse({ command: 'AUTH', token: 't' })).toMatchObject({ user: null, pass: null, token: 't' });
});

test.each<[unknown, string]>([
  [[], 'the line is no JSON object'],
  [7, 'the line is no JSON object'],
  [{}, 'command must be one of PUB, SUB, UNSUB, ACK, NACK, WORKING, TERM, PING, FORMAT, AUTH'],
  [{ command: 'constructor' }, 'command must be one of'],
  [{ ...publish, paylod: 1 }, 'PUB has no field "paylod"'],
  [{ ...publish, topic: 7 }, 'topic must be a string that is not empty'],
  [{ command: 'PUB', payload: '' }, 'topic must be a string that is not empty'],
  [{ ...publish, topic: 'a b' }, 'topic must not hold blanks'],
  [{ ...publish, topic: 'a\nb' }, 'topic must not hold blanks'],
  [{ ...publish, topic: 'a..b' }, 'topic must be tokens'],
  [{ ...publish, topic: 'a.*' }, 'topic must not have the wildcards'],
  [{ ...publish, topic: '\ud800' }, 'topic is not well-formed Unicode'],
  [{ ...publish, reply: '>' }, 'reply must not have the wildcards'],
  [{ command: 'PUB', topic: 'a' }, 'payload must be a string'],
  [{ ...publish, payload: 100 }, 'payload must be a string'],
  [{ ...publish, payload: '\udc00' }, 'payload is not well-formed Unicode'],
  [{ ...publish, encoding: 'hex' }, 'encoding must be utf8 or base64'],
  [{ ...publish, encoding: 'base64', payload: 'a' }, 'payload is not valid base64'],
  [{ ...publish, key: 1 }, 'key must be a string'],
  [{ ...publish, key: 'a\r\nB: c' }, 'must not hold line ends'],
  [{ ...publish, headers: 'a' }, 'headers must be an object'],
  [{ ...publish, headers: { 'a b': '1' } }, 'must be printable ASCII'],
  [{ ...publish, headers: { 'a:b': '1' } }, 'must be printable ASCII'],
  [{ ...publish, headers: { a: { b: 1 } } }, 'a header must be a string'],
  [{ ...publish, headers: { a: '\r\nevil: 1' } }, 'must not hold line ends'],
  [{ ...publish, id: 1.5 }, 'id must be a whole number'],
  [{ ...publish, id: 1e300 }, 'id must be a whole number'],
  [{ ...publish, id: 'x'.repeat(129) }, 'id must be a whole number'],
  [{ command: 'FORMAT', format: 'xml' }, 'format must be text or json'],
  [{ command: 'AUTH', user: {} }, 'user must be a string'],
  [{ command: 'SUB', topic: '>.a' }, 'topic must be tokens'],
  [{ command: 'SUB', topic: 'a', group: { name: 'b', orderedBy: 'age' } }, 'group must be a name, or an object'],
  [{ command: 'SUB', topic: 'a', group: 'b c' }, 'group must not hold blanks'],
])('%j is told: %s', (value, text) => {
  expect(parse(value)).toMatchObject({ mistake: expect.stringContaining(text) as string });
});

test('names of prototypes are names like any other, and mistakes keep the id', () => {
  expect(parseJsonCommand('{"command":"PING","__proto__":{"id":1}}')).toEqual({
    mistake: 'PING has no field "__proto__"; it has id',
    id: null,
  });
  expect(parse({ command: 'PUB', topic: 'a', id: 3 })).toMatchObject({ id: '3' });
});

test('whatever the line, it is a command or a sentence without line ends', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc.object().map((value) => JSON.stringify(value)),
    fc
      .record(
        {
          command: fc.constantFrom('PUB', 'SUB', 'UNSUB', 'PING', 'FORMAT', 'AUTH', 'x'),
          topic: fc.anything(),
          payload: fc.anything(),
          headers: fc.anything(),
          id: fc.anything(),
          group: fc.anything(),
        },
        { requiredKeys: ['command'] },
      )
      .map((value) => JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))),
    fc.nat(5000).map((depth) => '['.repeat(depth)),
    fc.nat(5000).map((depth) => `{"command":"PUB","topic":${'['.repeat(depth)}${']'.repeat(depth)}}`),
  );
  fc.assert(
    fc.property(anything, (line) => {
      const parsed = parseJsonCommand(line);
      if ('mistake' in parsed) expect(parsed.mistake).toMatch(/^[^\n\r]{1,300}$/);
      else if (parsed.command === 'PUB' || parsed.command === 'SUB')
        expect(parsed.topic).toMatch(/^[^\x00-\x20\x7f]+$/);
    }),
    { numRuns: 2000 },
  );
});
