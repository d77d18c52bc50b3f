import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { ProtocolTrace } from '../../src/protocol/protocolTrace.js';

const operation = fc.oneof(
  fc.constantFrom('PING\r\n', 'PONG\r\n', '+OK\r\n', 'SUB a 1\r\n', 'pub a 3\r\nabc\r\n', 'MSG a 1 4\r\n\r\n\r\n\r\n'),
  fc.string({ unit: 'binary', maxLength: 30 }).map((payload) => {
    const bytes = Buffer.from(payload).toString('latin1');
    return `PUB x ${bytes.length}\r\n${bytes}\r\n`;
  }),
  fc.array(fc.nat(255), { maxLength: 20 }).map((codes) => `${String.fromCharCode(...codes)}\n`),
);

function told(pieces: readonly string[], max = 0, isJson = false): string[] {
  const lines: string[] = [];
  const trace = new ProtocolTrace(isJson, max, (text) => lines.push(text));
  for (const piece of pieces) trace.push(latin1Bytes(piece), 0, piece.length);
  return lines;
}

test("whatever comes, in whatever pieces, is told alike, and no line of the log is a client's", () => {
  const alike = fc.property(fc.array(operation), fc.array(fc.nat(60)), fc.boolean(), (operations, cuts, isJson) => {
    const whole = operations.join('');
    const pieces: string[] = [];
    let rest = whole;
    for (const cut of cuts) {
      pieces.push(rest.slice(0, cut));
      rest = rest.slice(cut);
    }
    const lines = told([...pieces, rest], 8, isJson);
    expect(lines).toEqual(told([whole], 8, isJson));
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  });
  fc.assert(alike, { numRuns: 500 });
});

test('what is secret is not told, however it is written', () => {
  const fields = ['pass', 'PASS', 'auth_token', 'sig', 'nkey', 'jwt', 'token', 'p\\u0061ss'];
  for (const field of fields)
    for (const value of ['"hunter2"', '["hunter2"]', '{"a":"hunter2"}']) {
      const json = `{"lang":"x","${field}":${value},"pass":"hunter2"}`;
      for (const lines of [told([`CONNECT ${json}\r\n`]), told([`{"command":"AUTH",${json.slice(1)}\n`], 0, true)]) {
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toContain('hunter2');
      }
    }
  expect(told(['CONNECT {"pass":"hunter2"\r\n'])).toEqual(['[CONNECT ...]']);
});

test('a payload is cut where it is said, and quoted', () => {
  expect(told(['PUB a 7\r\nab"\n€\r\n'.replace('€', '\u00e2\u0082\u00ac')], 0)).toEqual([
    '[PUB a 7]',
    'MSG_PAYLOAD: ["ab\\"\\n€"]',
  ]);
  expect(told(['PUB a 7\r\nabcdefg\r\n'], 3)).toEqual(['[PUB a 7]', 'MSG_PAYLOAD: ["abc..."]']);
  const line = (payload: string) => `{"topic":"abcdefg","payload":"${payload}"}`;
  expect(told([`${line('abcdefg')}\n${line('abc')}\n`], 3, true)).toEqual([`[${line('abc...')}]`, `[${line('abc')}]`]);
});
