/** What an endpoint answers: a value, or text of JSON that comes in pieces. */
export type Answer =
  | { readonly status: number; readonly value: unknown; readonly indent: boolean }
  | { readonly status: number; readonly pieces: AsyncGenerator<string> }
  /** What is no JSON. */
  | { readonly status: number; readonly text: string; readonly contentType: string };

export function answerWith(value: object): Answer {
  return { status: 200, value, indent: true };
}

export function answerPieces(pieces: AsyncGenerator<string>): Answer {
  return { status: 200, pieces };
}

/** The fields of an object, as text without its end: more may follow. */
export function openObject(fields: object): string {
  return JSON.stringify(fields, null, 2).replace(/\n?\}$/, '');
}

/** An item of a list as text of JSON; one that is very long comes in pieces. */
export type Item = string | AsyncGenerator<string>;

/** The items of a list, one in a line. */
export async function* listItems(items: AsyncIterable<Item>): AsyncGenerator<string> {
  let separator = '';
  for await (const item of items) {
    yield `${separator}\n`;
    if (typeof item === 'string') yield item;
    else yield* item;
    separator = ',';
  }
}
