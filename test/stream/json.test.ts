import { describe, expect, test } from 'vitest';
import { jsonDigitsMax, jsonPartsMax } from '../../src/base/limits.js';
import { JsonError, parseJson, parseOneJson } from '../../src/stream/api/json.js';

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

describe('a text that is one value, and one of several', () => {
  test.each([
    ['nothing', '', [], 'unexpected end of JSON input'],
    ['blanks', ' \t\r\n', [], 'unexpected end of JSON input'],
    ['a value', ' 1 ', [1n], 1n],
    ['two', '1 2', [1n, 2n], "invalid character '2' after top-level value"],
    ['half of one', '{"a"', 'unexpected EOF', 'unexpected end of JSON input'],
    ['half of the second', '1 {', 'unexpected EOF', "invalid character '{' after top-level value"],
    [
      'what is none',
      '[x',
      "invalid character 'x' looking for beginning of value at offset 2",
      "invalid character 'x' looking for beginning of value",
    ],
    [
      'a mark of bytes',
      '\ufeff1',
      "invalid character '\ufeff' looking for beginning of value at offset 1",
      "invalid character '\ufeff' looking for beginning of value",
    ],
  ])('%s', (_, text, several, one) => {
    expectParsed(() => parse(text), several);
    expectParsed(() => parseOneJson(text), one);
  });
});

/** @param result what it comes to, or the text of its error */
function expectParsed(parsed: () => unknown, result: unknown): void {
  if (typeof result === 'string') expect(parsed).toThrow(new JsonError(result));
  else expect(parsed()).toEqual(result);
}
