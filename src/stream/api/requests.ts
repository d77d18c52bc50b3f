import { byteText } from '../../base/bytes.js';
import { apiErrors, invalidJson } from './apiError.js';
import { Decoding } from './decoding.js';
import { JsonError, type Parsed, parseJson, parseOneJson } from './json.js';

/** The fields of a request's body that have been given, by name. */
export type Fields = ReadonlyMap<string, Field>;
type Field = bigint | string | boolean | readonly string[] | TimeUs;
/** Microseconds since 1970. */
type TimeUs = number;
type FieldType = 'text' | 'flag' | 'whole' | 'int' | 'time' | 'texts';
export type Shape = Readonly<Record<string, FieldType>>;

/** Whether a body says nothing: it has no bytes, or is an empty object. */
export function isEmptyBody(body: string): boolean {
  return body === '' || /^[ \t\r\n]*\{[ \t\r\n]*\}[ \t\r\n]*$/.test(body);
}

/** Whether a body is one that is meant to be JSON. */
export function looksLikeJson(body: string): boolean {
  return /^[ \t\r\n]*[{[]/.test(body);
}

/** The values that a body is made of, up to what is wrong, which is noted: one behind the other where it is read strictly, as Go does. */
export function* valuesOf(body: string, decoding: Decoding): Generator<Parsed> {
  try {
    if (decoding.strict) yield* parseJson(body);
    else yield parseOneJson(body);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    decoding.note(error.message);
  }
}

/**
 * Reads the fields of a body.
 *
 * @param name of the request, as errors call it
 * @param strict whether other fields are an error
 * @throws ApiError for what does not fit
 */
export function readFields(body: string, name: string, shape: Shape, strict = true): Fields {
  const decoding = new Decoding(name, strict);
  const fields = new Map<string, Field>();
  const readers = Object.entries(shape).map(([field, type]) => [
    field,
    (value: Parsed) => {
      if (value !== null) fields.set(field, readField(decoding, type, value, field));
    },
  ]);
  const readersOf = Object.fromEntries(readers);
  for (const value of valuesOf(body, decoding)) decoding.object(value, '', name, readersOf);
  if (decoding.error !== null) throw invalidJson(decoding.error);
  return fields;
}

function readField(decoding: Decoding, type: FieldType, value: Parsed, path: string): Field {
  switch (type) {
    case 'text':
      return decoding.text(value, path);
    case 'flag':
      return decoding.flag(value, path);
    case 'whole':
      return decoding.whole(value, path, 'uint64');
    case 'int':
      return decoding.whole(value, path, 'int');
    case 'texts':
      return decoding.texts(value, path);
    case 'time':
      return decoding.time(value, path);
  }
}

/** A field's number; 0 when it was not given. Sequences beyond what is exact are beyond all that there are. */
export function numberOf(fields: Fields, name: string): number {
  return Number(fields.get(name) ?? 0);
}

export function textOf(fields: Fields, name: string): string {
  return (fields.get(name) as string | undefined) ?? '';
}

/** A subject as it is compared: one byte a character. */
export function subjectOf(fields: Fields, name: string): string {
  return byteText(textOf(fields, name));
}

export function flagOf(fields: Fields, name: string): boolean {
  return fields.get(name) === true;
}

/** Whether several are asked for that exclude each other. */
export function conflicts(fields: Fields, pairs: readonly (readonly [string, string])[]): boolean {
  return pairs.some(([one, other]) => isSet(fields, one) && isSet(fields, other));
}

/** Whether a field says something beside what it says when it is missing. */
export function isSet(fields: Fields, name: string): boolean {
  const value = fields.get(name);
  return !(
    value === undefined ||
    value === 0n ||
    value === '' ||
    value === false ||
    (Array.isArray(value) && value.length === 0)
  );
}

/** @throws ApiError for a body where there should be none */
export function expectEmpty(body: string): void {
  if (!isEmptyBody(body)) throw apiErrors.notEmptyRequest;
}
