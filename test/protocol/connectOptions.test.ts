import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConnectOptions, defaultConnectOptions, parseConnectOptions } from '../../src/protocol/connectOptions.js';

/** Field on the wire, field here, type. */
const fields = [
  ['verbose', 'verbose', 'boolean'],
  ['pedantic', 'pedantic', 'boolean'],
  ['echo', 'echo', 'boolean'],
  ['no_responders', 'noResponders', 'boolean'],
  ['headers', 'headers', 'boolean'],
  ['name', 'name', 'string'],
  ['lang', 'lang', 'string'],
  ['version', 'version', 'string'],
  ['protocol', 'protocol', 'number'],
  ['user', 'user', 'string'],
  ['pass', 'pass', 'string'],
  ['auth_token', 'authToken', 'string'],
] as const satisfies readonly (readonly [string, keyof ConnectOptions, string])[];

const sample = { boolean: fc.boolean(), string: fc.string({ maxLength: 20 }), number: fc.integer() };

describe.each(fields)('%s', (wire, here, type) => {
  test('is read, and nothing else changes', () => {
    fc.assert(
      fc.property(sample[type] as fc.Arbitrary<unknown>, (value) => {
        expect(parseConnectOptions(JSON.stringify({ [wire]: value }))).toEqual({
          ...defaultConnectOptions,
          [here]: value,
        });
      }),
      { numRuns: 20 },
    );
  });

  test('of another type refuses the whole', () => {
    for (const value of [true, 1, 'text', [], {}])
      if (typeof value !== type) expect(parseConnectOptions(JSON.stringify({ [wire]: value }))).toBe(null);
  });

  test('that is null is as good as absent', () => {
    expect(parseConnectOptions(JSON.stringify({ [wire]: null }))).toEqual(defaultConnectOptions);
  });
});

test('what is not named stays as it was', () => {
  const before = parseConnectOptions('{"echo":false,"name":"me","user":"u","pass":"p"}')!;
  expect(parseConnectOptions('{"pass":"q","verbose":false}', before)).toEqual({ ...before, pass: 'q', verbose: false });
});

test('unknown fields are ignored', () => {
  expect(parseConnectOptions('{"tls_required":false,"jwt":[],"__proto__":{"echo":false}}')).toEqual(
    defaultConnectOptions,
  );
});

test.each(['', '{', '[]', '[{}]', '1', '"text"', 'true', '{"verbose":true}}'])('%j is refused', (json) => {
  expect(parseConnectOptions(json)).toBe(null);
});

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (json) => void parseConnectOptions(json)));
});
