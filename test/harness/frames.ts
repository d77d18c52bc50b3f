/**
 * A parser of what a server sends, independent of the broker's own code: a test that parsed with the code under test
 * would agree with its mistakes. Bytes become strings as latin1, one character a byte, so that nothing is lost.
 */
export interface Message {
  readonly op: 'MSG';
  readonly subject: string;
  readonly sid: string;
  readonly reply: string | undefined;
  /** The header block as sent, `undefined` for MSG. */
  readonly headers: Buffer | undefined;
  readonly payload: Buffer;
}

export type Frame =
  | Message
  | { readonly op: 'INFO'; readonly info: Readonly<Record<string, unknown>> }
  | { readonly op: '-ERR'; readonly text: string }
  | { readonly op: '+OK' | 'PING' | 'PONG' };

const empty: Buffer = Buffer.alloc(0);

export class FrameReader {
  #rest: Buffer = empty;

  /** Bytes that are no whole frame yet. */
  get rest(): Buffer {
    return this.#rest;
  }

  push(chunk: Buffer): Frame[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', at);
      if (lineEnd < 0) break;
      const line = bytes.toString('latin1', at, lineEnd);
      const size = payloadSize(line);
      const end = lineEnd + 2 + (size === undefined ? 0 : size + 2);
      if (end > bytes.length) break;
      frames.push(readFrame(line, bytes.subarray(lineEnd + 2, end)));
      at = end;
    }
    this.#rest = at === bytes.length ? empty : bytes.subarray(at);
    return frames;
  }
}

function payloadSize(line: string): number | undefined {
  if (!/^H?MSG /.test(line)) return undefined;
  const size = /^(?:MSG \S+ \S+|HMSG \S+ \S+)(?: \S*)* (\d+)$/.exec(line)?.[1];
  if (size === undefined) throw new Error(`not a message line: ${JSON.stringify(line)}`);
  return Number(size);
}

function readFrame(line: string, body: Buffer): Frame {
  if (line === '+OK' || line === 'PING' || line === 'PONG') return { op: line };
  if (line.startsWith('INFO ')) return { op: 'INFO', info: JSON.parse(line.slice(5)) as Record<string, unknown> };
  const error = /^-ERR '(.*)'$/s.exec(line);
  if (error) return { op: '-ERR', text: error[1] as string };
  if (!/^H?MSG /.test(line)) throw new Error(`not a frame of the NATS protocol: ${JSON.stringify(line)}`);
  return readMessage(line.split(' '), body);
}

function readMessage([name, subject, sid, ...tail]: string[], body: Buffer): Message {
  if (body.toString('latin1', body.length - 2) !== '\r\n')
    throw new Error(`payload of ${subject} is not closed by CR LF`);
  const sizes = name === 'HMSG' ? 2 : 1;
  // nats-server has an empty reply where it says something itself
  const reply = tail.length > sizes ? tail[0] : undefined;
  const headerBytes = name === 'HMSG' ? Number(tail[tail.length - 2]) : 0;
  return {
    op: 'MSG',
    subject: subject as string,
    sid: sid as string,
    reply: reply === '' ? undefined : reply,
    headers: name === 'HMSG' ? body.subarray(0, headerBytes) : undefined,
    payload: body.subarray(headerBytes, body.length - 2),
  };
}

/** One line of text a frame, for expectations that read like a transcript: `MSG subject sid [reply] | payload`. */
export function show(frame: Frame): string {
  switch (frame.op) {
    case 'MSG':
      return showMessage(frame);
    case '-ERR':
      return `-ERR '${frame.text}'`;
    case 'INFO':
      return 'INFO';
    default:
      return frame.op;
  }
}

function showMessage({ subject, sid, reply, headers, payload }: Message): string {
  const head = ['MSG', subject, sid, ...(reply === undefined ? [] : [reply])].join(' ');
  const block = headers === undefined ? '' : ` {${headers.toString('latin1')}}`;
  return `${head}${block} | ${payload.toString('latin1')}`;
}
