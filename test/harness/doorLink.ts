import { once } from 'node:events';
import net from 'node:net';
import type { Broker } from 'shardcast';
import WebSocket from 'ws';
import { connectLine } from './rawClient.js';

export const socketDoors = ['nats', 'nats-websocket', 'jsonl', 'jsonl-websocket'] as const;
export type SocketDoor = (typeof socketDoors)[number];

/** How a subscription is asked for, in what all doors have. */
export interface Subscribing {
  readonly topic: string;
  readonly group?: string;
  /** Policy and the like, without a subject. */
  readonly wish?: Readonly<Record<string, unknown>>;
}

/** What a client says of itself where credentials are asked for. */
export interface Login {
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

/** Text in and out of one socket door, in its own language. It says what it is told and answers PINGs. */
export class DoorLink {
  readonly #json: boolean;
  readonly #socket: net.Socket | WebSocket;
  #text = '';
  #marks = 0;
  #sids = new Map<string, number>();
  #lastSid = 0;
  #wake: (() => void) | null = null;
  #closed = false;

  private constructor(socket: net.Socket | WebSocket, json: boolean) {
    this.#socket = socket;
    this.#json = json;
    const onText = (bytes: Buffer): void => this.#onText(bytes.toString('latin1'));
    if (socket instanceof WebSocket) socket.on('message', onText);
    else socket.on('data', onText);
    // a reset is one more way of being closed
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
  }

  static async open(broker: Broker, door: SocketDoor, login: Login = {}): Promise<DoorLink> {
    const json = door.startsWith('jsonl');
    const { nats, jsonl, websocket } = broker.ports;
    if (door.endsWith('websocket')) {
      const socket = new WebSocket(websocket[0]!, json ? 'jsonl' : 'nats');
      const link = new DoorLink(socket, json);
      await once(socket, 'open');
      return link.#begin(login);
    }
    const { hostname, port } = new URL((json ? jsonl : nats)[0]!);
    const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new DoorLink(socket, json).#begin(login);
  }

  #begin({ user, pass, token }: Login): DoorLink {
    if (!this.#json) this.send(connectLine({ no_responders: false, user, pass, auth_token: token }));
    else if (user !== undefined || token !== undefined)
      this.send(`${JSON.stringify({ command: 'AUTH', user, pass, token })}\n`);
    return this;
  }

  send(text: string): void {
    if (this.#socket instanceof WebSocket) this.#socket.send(text);
    else this.#socket.write(text, 'latin1');
  }

  /** Text that subscribes. */
  subscribe({ topic, group, wish }: Subscribing): string {
    if (this.#json) return `${JSON.stringify({ command: 'SUB', topic, group, ...wish })}\n`;
    const sid = ++this.#lastSid;
    this.#sids.set(`${topic} ${group}`, sid);
    const asking = wish === undefined ? '' : this.publish('$SHARDCAST.SUB', JSON.stringify({ sid: `${sid}`, ...wish }));
    return `${asking}SUB ${topic} ${group ?? ''} ${sid}\r\n`;
  }

  /** Text that ends what `subscribe` with the same began. */
  unsubscribe({ topic, group }: Subscribing): string {
    if (this.#json) return `${JSON.stringify({ command: 'UNSUB', topic, group })}\n`;
    const key = `${topic} ${group}`;
    const sid = this.#sids.get(key);
    this.#sids.delete(key);
    return `UNSUB ${sid}\r\n`;
  }

  publish(topic: string, payload: string): string {
    if (this.#json) return `${JSON.stringify({ command: 'PUB', topic, payload })}\n`;
    return `PUB ${topic} ${payload.length}\r\n${payload}\r\n`;
  }

  /** Sends, and waits until it has been carried out; what came meanwhile, as it came. */
  async exchange(text: string): Promise<string> {
    const at = await this.#carriedOut(text);
    const came = this.#text.slice(0, at);
    this.#text = this.#text.slice(at);
    return came;
  }

  /** The same, but what came is kept in `received`. */
  async exchangeKeeping(text = ''): Promise<void> {
    await this.#carriedOut(text);
  }

  /** What came and was not returned by an exchange. */
  get received(): string {
    return this.#text;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when what came matches; where in it the match begins. */
  async find(text: string): Promise<number> {
    for (let from = 0; ; ) {
      const at = this.#text.indexOf(text, from);
      if (at >= 0) return at;
      from = Math.max(0, this.#text.length - text.length);
      await this.#more(text);
    }
  }

  /** Sends; resolves when it has been carried out, with the length of what came before the broker said so. */
  async #carriedOut(text: string): Promise<number> {
    const id = ++this.#marks;
    const [ping, pong] = this.#json
      ? [JSON.stringify({ command: 'PING', id }), `${JSON.stringify({ ok: true, pong: true, id })}\n`]
      : ['PING\r', 'PONG\r\n'];
    this.send(`${text}${ping}\n`);
    const at = await this.find(pong);
    this.#text = this.#text.slice(0, at) + this.#text.slice(at + pong.length);
    return at;
  }

  /** Ends at once; resolves when the socket is gone. */
  async destroy(): Promise<void> {
    const closed = once(this.#socket, 'close');
    if (this.#socket instanceof WebSocket) this.#socket.terminate();
    else this.#socket.destroy();
    await closed;
  }

  /** Says goodbye; resolves when the broker has said it too. */
  async end(): Promise<void> {
    const closed = once(this.#socket, 'close');
    if (this.#socket instanceof WebSocket) this.#socket.close();
    else this.#socket.end();
    await closed;
  }

  /** Resolves when the broker has ended it. */
  async ended(): Promise<void> {
    if (!this.#closed) await once(this.#socket, 'close');
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #onText(text: string): void {
    this.#text += text;
    if (!this.#json && text.includes('PING\r\n')) this.send('PONG\r\n');
    this.#wake?.();
  }

  async #more(awaited: string): Promise<void> {
    if (!this.#closed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#closed) throw new Error(`closed before ${awaited}; it had received ${this.#text.slice(-500)}`);
  }
}
