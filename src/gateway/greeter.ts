import { announcedMax } from '../base/limits.js';
import type { Turn } from '../base/turn.js';
import type { ConnectOptions } from '../protocol/connectOptions.js';
import { asyncInfoProtocol, type ClientInfo, connectInfo, type ServerInfo, sameInfo } from '../protocol/info.js';
import type { Connection } from './connection.js';
import type { Egress } from './egress.js';

/** Tells clients what server they speak to: NATS's INFO. */
export class Greeter {
  #info: ServerInfo;
  readonly #egress: Egress;
  readonly #turn: Pick<Turn, 'passed'>;

  constructor(info: ServerInfo, egress: Egress, turn: Pick<Turn, 'passed'>) {
    this.#info = info;
    this.#egress = egress;
    this.#turn = turn;
  }

  /** What the server is now. */
  get info(): ServerInfo {
    return this.#info;
  }

  /** Says the first word to a client. */
  greet(connection: Connection): void {
    this.#send(connection, {});
  }

  /** Tells a client that has had its first PONG what its CONNECT has led to. */
  greetConnected(connection: Connection): void {
    this.#inform(connection, connectInfo(connection.account));
  }

  /** Tells the server's new state to every client that can take it, some a turn; who has had no PONG yet learns it behind that. */
  async announce(info: ServerInfo, connections: Iterable<Connection>): Promise<void> {
    if (sameInfo(info, this.#info)) return;
    this.#info = info;
    let told = 0;
    for (const connection of [...connections]) {
      if (connection.state !== 'open' || !connection.login.firstPongSent) continue;
      this.#inform(connection, {});
      if (++told % announcedMax === 0) await this.#turn.passed();
      // everybody is told of what is newer
      if (this.#info !== info) return;
    }
  }

  /** Sends an INFO that nobody asked for, to a client that has said that it takes these. */
  #inform(connection: Connection, more: Partial<ClientInfo>): void {
    if (takesInfo(connection.options, this.#info)) this.#send(connection, more);
  }

  #send(connection: Connection, more: Partial<ClientInfo>): void {
    const client = { client_id: connection.id, client_ip: connection.remoteAddress, ...more };
    const greeting = connection.dialect.greeting(this.#info, client);
    if (greeting !== null) this.#egress.write(connection, greeting);
  }
}

/**
 * Whether a client takes INFO at any time: who says so, and in lame duck mode who does not say which protocol it speaks, but speaks of
 * headers, which are younger than that. It would be ended without a word.
 */
function takesInfo({ protocol, headers }: ConnectOptions, info: ServerInfo): boolean {
  return (protocol ?? 0) >= asyncInfoProtocol || (info.ldm === true && protocol === null && headers);
}
