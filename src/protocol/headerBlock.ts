const version = 'NATS/1.0';
/** Half of a character that UTF-16 says in two. */
const surrogate = 0xd800;
const surrogateMask = 0xf800;

/** What a NATS header block says. */
export interface HeaderBlock {
  /** Of a status message, such as 503 for "no responders"; 0 for none. */
  readonly status: number;
  readonly description: string;
  /** Values by name, as they were written: names are told apart by case, as in NATS. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads a block that anybody may have written: a line ends with LF, what stands behind a CR in it does not count, and blanks and tabs
 * around a value are none of it, as {@link findHeader} has it. Lines that are no header are left out, what is not UTF-8 becomes U+FFFD.
 */
export function readHeaderBlock(bytes: Uint8Array, start: number, end: number): HeaderBlock {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
  let lineEnd = endOfLine(text, 0);
  const { status, description } = readStatus(text.slice(0, lineEnd));
  const values = new Map<string, string[]>();
  // line by line, without a list of them: a block may have very many
  for (let at = lineEnd + 1; at < text.length; at = lineEnd + 1) {
    lineEnd = endOfLine(text, at);
    const line = withoutReturn(text, at, lineEnd);
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    const value = trimmed(line, colon + 1);
    const earlier = values.get(name);
    if (earlier === undefined) values.set(name, [value]);
    else earlier.push(value);
  }
  return { status, description, values };
}

/** What a block's first line says, without the LF at its end. */
export function readStatus(line: string): Pick<HeaderBlock, 'status' | 'description'> {
  const parts = /^NATS\/1\.0 +(\d{3})(?: +(.*))?$/s.exec(withoutReturn(line, 0, line.length));
  return { status: Number(parts?.[1] ?? 0), description: parts?.[2] ?? '' };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function withoutReturn(text: string, start: number, end: number): string {
  const line = text.slice(start, end);
  const at = line.indexOf('\r');
  return at < 0 ? line : line.slice(0, at);
}

/** What stands from there on, without blanks and tabs around it. */
function trimmed(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

/** Whether it is a blank or a tab. */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The first value of a header, whatever the case of its name: the one that counts where only one can. */
export function firstValue(block: HeaderBlock, name: string): string | undefined {
  const wanted = smallLetters(name);
  for (const [candidate, [first]] of block.values) if (smallLetters(candidate) === wanted) return first;
  return undefined;
}

/** A header's name as it is compared: only ASCII has two cases, so that no other letter passes for one of its. */
export function smallLetters(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Writes a block, of names and values that {@link headerMistake} finds nothing wrong with. */
export function writeHeaderBlock(values: Iterable<readonly [name: string, value: string]>): string {
  let block = `${version}\r\n`;
  for (const [name, value] of values) block += `${name}: ${value}\r\n`;
  return `${block}\r\n`;
}

/**
 * What is wrong with a header, as a sentence; null when nothing is.
 *
 * @param what the field that the header was given by, where it has one
 */
export function headerMistake(name: string, value: string, what?: string): string | null {
  if (!/^[!-9;-~]+$/.test(name)) return `header name ${shown(name)} must be printable ASCII without blanks and colons`;
  if (/[\r\n\0]/.test(value)) return `${what ?? `header ${shown(name)}`} must not hold line ends or NUL`;
  if (!isWellFormed(value)) return `${what ?? `header ${shown(name)}`} is not well-formed Unicode`;
  return null;
}

/** A name as it may stand in a sentence, however long it is. */
function shown(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
}

/** Whether a text holds no half of a character, which UTF-8 cannot say. */
export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++)
    if ((text.charCodeAt(i) & surrogateMask) === surrogate) return !/\p{Surrogate}/u.test(text);
  return true;
}
