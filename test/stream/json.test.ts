import { describe, expect, test } from 'vitest';
import { jsonDigitsMax, jsonPartsMax } from '../../src/base/limits.js';
import { JsonError, parseJson } from '../../src/stream/api/json.js';

const parse = (text: string) => [...parseJson(text)];

describe('a request is read up to a bound on the work that it makes', () => {
  const tooMany = `more than ${jsonPartsMax} values, keys and escapes`;
  const many = (each: string, count: number) => Array(count).fill(each).join(',');

  test.each([
    ['values', `[${many('1', jsonPartsMax - 1)}]`, `[${many('1', jsonPartsMax)}]`, tooMany],
    ['values one behind the other', '1 '.repeat(jsonPartsMax), '1 '.repeat(jsonPartsMax + 1), tooMany],
    ['keys', `{${many('"":1', (jsonPartsMax - 2) / 2)}}`, `{${many('"":1', jsonPartsMax / 2)}}`, tooMany],
    ['escapes', `"${'\\n'.repeat(jsonPartsMax - 1)}"`, `"${'\\u0041'.repeat(jsonPartsMax)}"`, tooMany],
    [
      'digits',
      '9'.repeat(jsonDigitsMax),
      '9'.repeat(jsonDigitsMax + 1),
      `a number of more than ${jsonDigitsMax} characters`,
    ],
  ])('of %s', (_, most, more, error) => {
    expect(() => parse(most)).not.toThrow();
    expect(() => parse(more)).toThrow(new JsonError(error));
  });

  test('but not on its length', () => {
    const text = 'x'.repeat(1_000_000);
    expect(parse(` \t\r\n"${text}"${' '.repeat(1_000_000)}`)).toEqual([text]);
  });
});
