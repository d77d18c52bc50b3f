import { isatty } from 'node:tty';
import { styleText } from 'node:util';
import { readHeaderBlock } from '../protocol/headerBlock.js';

/** A message as it is shown; those of the NATS client are such. */
export interface Printable {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply?: string;
  /** Where a stream has it, and since when, in RFC 3339. */
  readonly stored?: { readonly sequence: number; readonly time: string };
  readonly headers?: Iterable<[name: string, values: string[]]>;
}

/** How messages are shown. */
export interface MessageStyle {
  /** `text`: subject and payload; `raw`: the payload alone; `json`: one object a line. */
  readonly form: 'text' | 'raw' | 'json';
  readonly withHeaders: boolean;
  readonly withSubject: boolean;
  /** A terminal gets colours, and no control characters: a payload must not be able to command it. */
  readonly isTerminal: boolean;
}

type Part = string | Uint8Array;

/** The style that the flags of a command ask for. */
export function messageStyle(
  flags: { readonly raw?: boolean; readonly json?: boolean; readonly headers?: boolean },
  withSubject: boolean,
): MessageStyle {
  return {
    form: flags.json ? 'json' : flags.raw ? 'raw' : 'text',
    withHeaders: flags.headers === true,
    withSubject,
    isTerminal: isatty(1),
  };
}

/** What is printed for one message: with a line end, but for a raw payload, which is nothing but itself. */
export function formatMessage(message: Printable, style: MessageStyle): readonly Part[] {
  if (style.form === 'raw') return [message.data];
  if (style.form === 'json') return [jsonLine(toJson(message))];
  const subject = style.withSubject ? `${color(`[${message.subject}${placeOf(message)}]`, style)} ` : '';
  const payload = style.isTerminal ? withoutControls(Buffer.from(message.data).toString()) : message.data;
  return [subject, payload, '\n', ...(style.withHeaders ? headerLines(message, style) : [])];
}

function placeOf({ stored }: Printable): string {
  return stored === undefined ? '' : ` #${stored.sequence} ${stored.time}`;
}

function headerLines(message: Printable, style: MessageStyle): string[] {
  return headerPairs(message).map(([name, value]) => {
    const line = `  ${name}: ${value}\n`;
    return style.isTerminal ? withoutControls(line) : line;
  });
}

function headerPairs(message: Printable): [string, string][] {
  return [...(message.headers ?? [])].flatMap(([name, values]) =>
    values.map((value) => [name, value] as const as [string, string]),
  );
}

/** Headers of a block, as a message to be shown has them. */
export function headersIn(bytes: Uint8Array, start: number, end: number): [name: string, values: string[]][] {
  return [...readHeaderBlock(bytes, start, end).values].map(([name, values]) => [name, [...values]]);
}

/** One object a line. */
export function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** A message as an object. A payload that is not UTF-8 is given in base64, under a name of its own. */
export function toJson(message: Printable): Record<string, unknown> {
  const payload = decodeUtf8(message.data);
  return {
    subject: message.subject,
    ...message.stored,
    ...(message.reply ? { reply: message.reply } : {}),
    ...(message.headers ? { headers: Object.fromEntries(message.headers) } : {}),
    ...(payload === null ? { payloadBase64: Buffer.from(message.data).toString('base64') } : { payload }),
  };
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function color(text: string, style: MessageStyle): string {
  if (!style.isTerminal) return text;
  const safe = withoutControls(text);
  return process.env.NO_COLOR ? safe : styleText('cyan', safe, { validateStream: false });
}

/** A text that a terminal shows and does not obey. */
export function withoutControls(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
