/** What is wrong with a request, as it is answered. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text): [string, boolean] => [text, true]),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text): [string, boolean] => [text, false]),
]);

/** The parameters of a request, read and refused as nats-server does it; one that is empty is as good as none. */
export class Query {
  readonly #given: URLSearchParams;

  constructor(given: URLSearchParams) {
    this.#given = given;
  }

  text(name: string): string {
    return this.#given.get(name) ?? '';
  }

  /** All values of a parameter that may be given more than once. */
  all(name: string): string[] {
    return this.#given.getAll(name);
  }

  /** The same with another value for a parameter. */
  with(name: string, text: string): Query {
    const given = new URLSearchParams(this.#given);
    given.set(name, text);
    return new Query(given);
  }

  /** @throws RequestError */
  flag(name: string): boolean {
    const text = this.text(name);
    const value = text === '' ? false : truths.get(text);
    if (value === undefined) throw undecodable('boolean', name, 'ParseBool', text);
    return value;
  }

  /** @throws RequestError */
  whole(name: string): number {
    const text = this.text(name);
    if (text !== '' && !/^[+-]?\d{1,15}$/.test(text)) throw undecodable('int', name, 'Atoi', text);
    return Number(text);
  }

  /** @throws RequestError */
  natural(name: string): number {
    const text = this.text(name);
    if (text !== '' && !/^\d{1,15}$/.test(text)) throw undecodable('uint64', name, 'ParseUint', text);
    return Number(text);
  }
}

function undecodable(type: string, name: string, parser: string, text: string): RequestError {
  const why = `strconv.${parser}: parsing ${JSON.stringify(text)}: invalid syntax`;
  return new RequestError(400, `Error decoding ${type} for '${name}': ${why}`);
}

/** Which part of what there is is asked for. */
export interface PageAsked {
  readonly offset: number;
  readonly limit: number;
}

const limitDefault = 1024;

/** @throws RequestError */
export function readPage(query: Query): PageAsked {
  const offset = Math.max(0, query.whole('offset'));
  const limit = query.whole('limit');
  return { offset, limit: limit > 0 ? limit : limitDefault };
}
