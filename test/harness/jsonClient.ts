import { once } from 'node:events';
import net from 'node:net';
import { afterEach } from 'vitest';
import WebSocket from 'ws';
import { Waits } from './waits.js';

const open = new Set<JsonClient>();

type Json = Readonly<Record<string, unknown>>;

/** A client of JSON lines, over TCP or WebSocket, that waits for lines and never for time. */
export class JsonClient {
  /** Lines received and not yet taken. */
  readonly lines: string[] = [];
  closed = false;
  /** Set to see lines as they come; those that it takes, by returning true, are not kept. */
  onLine: ((line: string) => boolean) | undefined;
  readonly #write: (text: string) => void;
  readonly #end: () => void;
  readonly #destroy: () => void;
  readonly #waits = new Waits(this);
  #rest = '';
  #pings = 0;

  private constructor(write: (text: string) => void, end: () => void, destroy: () => void) {
    this.#write = write;
    this.#end = end;
    this.#destroy = destroy;
    open.add(this);
  }

  static async overTcp(port: number): Promise<JsonClient> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new JsonClient(
      (text) => socket.write(text),
      () => socket.end(),
      () => socket.destroy(),
    );
    socket.setEncoding('utf8').on('data', (text: string) => client.#receive(text));
    // a reset is one more way of being closed
    socket.on('error', () => {});
    socket.on('close', () => client.#onClosed());
    await once(socket, 'connect');
    return client;
  }

  static async overWebSocket(port: number): Promise<JsonClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, 'jsonl');
    const client = new JsonClient(
      (text) => socket.send(text),
      () => socket.close(),
      () => socket.terminate(),
    );
    socket.on('message', (data) => client.#receive(String(data)));
    socket.on('close', () => client.#onClosed());
    await once(socket, 'open');
    return client;
  }

  send(...commands: readonly (Json | string)[]): void {
    for (const command of commands) this.#write(`${typeof command === 'string' ? command : JSON.stringify(command)}\n`);
  }

  /** Bytes as they are, no line end added. */
  sendRaw(text: string): void {
    this.#write(text);
  }

  /** Sends, then PING; the lines that came before its answer. */
  async exchange(...commands: readonly (Json | string)[]): Promise<string[]> {
    const id = `exchange-${++this.#pings}`;
    this.send(...commands, { command: 'PING', id });
    const answer = JSON.stringify({ ok: true, pong: true, id });
    await this.#waits.until(() => this.lines.includes(answer), `the answer ${answer}`);
    return this.lines.splice(0, this.lines.indexOf(answer) + 1).slice(0, -1);
  }

  /** The next so many lines. */
  async take(count: number): Promise<string[]> {
    await this.#waits.until(() => this.lines.length >= count, `${count} lines`);
    return this.lines.splice(0, count);
  }

  /** What came until the broker closed the connection. */
  async expectClosed(): Promise<string[]> {
    await this.#waits.until(() => this.closed, 'the end of the connection', true);
    return this.lines.splice(0);
  }

  /** Says that it will say no more; what comes is still read. */
  end(): void {
    this.#end();
  }

  close(): void {
    open.delete(this);
    this.#destroy();
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) if (this.onLine?.(line) !== true) this.lines.push(line);
    this.#waits.wake();
  }

  #onClosed(): void {
    this.closed = true;
    this.#waits.wake();
  }

  /** What came and is not taken yet, for the error of a wait. */
  received(): string {
    return this.lines.slice(0, 20).join('\n');
  }
}

afterEach(() => {
  for (const client of [...open]) client.close();
});
