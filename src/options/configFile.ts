import { readFileSync } from 'node:fs';
import type { Document, LineCounter, Node, Pair, YAMLMap } from 'yaml';
import { suggest } from '../base/suggest.js';
import { whenNeeded } from '../base/whenNeeded.js';
import { OptionsError } from './optionsError.js';
import { fileName, OPTION_NAMES, OPTIONS, type OptionName } from './optionTable.js';
import { splitEndpoint } from './optionTexts.js';

const yaml = whenNeeded<typeof import('yaml')>('yaml');

/** A value still as text, and where it stands. Several texts are those of an option that may be given more than once. */
export interface Setting {
  readonly name: OptionName;
  /** null says in so many words that the option has no value. */
  readonly texts: readonly string[] | null;
  readonly source: string;
}

/** The names inside nats-server's `authorization { }`. */
const AUTHORIZATION: Readonly<Record<string, OptionName>> = {
  user: 'user',
  username: 'user',
  pass: 'pass',
  password: 'pass',
  token: 'token',
  timeout: 'authTimeoutMs',
};

/** Every name a file may use at the top, in its plain form. */
const NAMES: ReadonlyMap<string, OptionName> = new Map(
  OPTION_NAMES.flatMap((name) =>
    [name, OPTIONS[name].flag, ...(OPTIONS[name].aliases ?? [])].map((written) => [plain(written), name] as const),
  ),
);

/** The names to choose from when one is misspelt. */
const SUGGESTIONS = [
  ...OPTION_NAMES.flatMap((name) => [fileName(name), ...(OPTIONS[name].aliases ?? [])]),
  'listen',
  'authorization',
];

/**
 * Reads the settings of a config file, JSON or YAML (of which JSON is a part).
 *
 * @throws OptionsError naming the file and the line, when it cannot be read or says what no option means
 */
export function readConfigFile(path: string): Setting[] {
  const lines = new (yaml().LineCounter)();
  const document = yaml().parseDocument(readText(path), { lineCounter: lines, prettyErrors: false });
  const error = document.errors[0];
  if (error) throw new OptionsError(`${path}:${lines.linePos(error.pos[0]).line}: ${oneLine(error.message)}`);
  if (document.contents === null) return [];
  if (!yaml().isMap(document.contents)) throw new OptionsError(`${path}:1: the file must hold names and values`);
  return new Reader(path, document, lines).readTop(document.contents);
}

class Reader {
  readonly #path: string;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #settings = new Map<OptionName, Setting>();

  constructor(path: string, document: Document, lines: LineCounter) {
    this.#path = path;
    this.#document = document;
    this.#lines = lines;
  }

  readTop(top: YAMLMap): Setting[] {
    for (const pair of top.items as Pair<Node, Node | null>[]) {
      const written = this.#key(pair);
      const name = NAMES.get(plain(written));
      const source = this.#source(pair, written);
      if (plain(written) === 'listen') this.#readListen(pair, source);
      else if (plain(written) === 'authorization') this.#readAuthorization(pair, source);
      else if (name) this.#add(name, this.#texts(pair, source), source);
      else throw unknownName(source, written, SUGGESTIONS);
    }
    return [...this.#settings.values()];
  }

  /** `listen: "host:port"`, or a port alone. */
  #readListen(pair: Pair<Node, Node | null>, source: string): void {
    const value = this.#text(pair.value, source);
    const endpoint = splitEndpoint(value);
    if (endpoint) {
      this.#add('host', [endpoint.host], source);
      this.#add('port', [endpoint.port], source);
    } else if (/^-?\d+$/.test(value)) {
      this.#add('port', [value], source);
    } else {
      throw new OptionsError(`${source}: ${JSON.stringify(value)} is not allowed; it must be host:port or a port`);
    }
  }

  #readAuthorization(pair: Pair<Node, Node | null>, source: string): void {
    const value = this.#resolve(pair.value);
    if (!yaml().isMap(value)) throw new OptionsError(`${source}: it must hold user and password, or token`);
    for (const inner of value.items as Pair<Node, Node | null>[]) {
      const written = this.#key(inner);
      const name = Object.hasOwn(AUTHORIZATION, written.toLowerCase()) ? AUTHORIZATION[written.toLowerCase()] : null;
      const innerSource = this.#source(inner, `authorization.${written}`);
      if (!name) throw unknownName(innerSource, written, Object.keys(AUTHORIZATION));
      this.#add(name, this.#texts(inner, innerSource), innerSource);
    }
  }

  #add(name: OptionName, texts: readonly string[] | null, source: string): void {
    const earlier = this.#settings.get(name);
    if (earlier) throw new OptionsError(`${source}: given already at ${earlier.source}`);
    this.#settings.set(name, { name, texts, source });
  }

  #texts(pair: Pair<Node, Node | null>, source: string): readonly string[] | null {
    const value = this.#resolve(pair.value);
    if (value === null || (yaml().isScalar(value) && value.value === null)) return null;
    return yaml().isSeq(value)
      ? value.items.map((item) => this.#text(item as Node, source))
      : [this.#text(value, source)];
  }

  /** The text of a value as it was written: `pass: 0123` is not the number 123. */
  #text(node: Node | null, source: string): string {
    const value = this.#resolve(node);
    if (!yaml().isScalar(value)) throw new OptionsError(`${source}: a plain value is expected here`);
    return typeof value.value === 'string' ? value.value : (value.source ?? String(value.value));
  }

  #resolve(node: Node | null): Node | null {
    return yaml().isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
  }

  #key(pair: Pair<Node, Node | null>): string {
    return yaml().isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
  }

  #source(pair: Pair<Node, Node | null>, written: string): string {
    return `${this.#path}:${this.#lines.linePos(pair.key.range?.[0] ?? 0).line}: ${written}`;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OptionsError(`cannot read the config file ${path} (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** nats-server does not mind the case of names; snake, kebab and camel case are one here too. */
function plain(written: string): string {
  return written.replace(/[_-]/g, '').toLowerCase();
}

function unknownName(source: string, written: string, known: readonly string[]): OptionsError {
  const near = suggest(written.replaceAll('-', '_'), known);
  return new OptionsError(`${source}: there is no such option${near ? `; did you mean ${near}?` : ''}`);
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').trim();
}
