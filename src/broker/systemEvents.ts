import { accountName } from '../base/account.js';
import { statszEveryMs } from '../base/limits.js';
import { nowText, timeText } from '../base/timeText.js';
import { uniqueId } from '../base/uniqueId.js';
import type { Connection } from '../gateway/connection.js';
import { reportConnection } from '../gateway/connectionReports.js';
import type { EndedConnection } from '../gateway/gateway.js';
import { userOf } from '../gateway/userInfo.js';
import { closeReason } from '../monitor/closeReasons.js';
import { errors } from '../protocol/errors.js';
import type { ServerInfo } from '../protocol/info.js';
import { serverFields } from '../protocol/serverFields.js';
import { accountEventSubject, serverEventSubject } from '../protocol/systemSubjects.js';
import type { SystemVoice } from '../shard/system/systemVoice.js';

const typePrefix = 'io.nats.server.advisory.v1';

/** What is told of connections and of the server in the system account, by nats-server's events. One on each thread, which tells of its own connections. */
export class SystemEvents {
  readonly #voice: SystemVoice;
  readonly #info: () => ServerInfo;
  /** Events so far, on this thread. */
  #sequence = 0;
  #nextStatszMs = 0;

  constructor(voice: SystemVoice, info: () => ServerInfo) {
    this.#voice = voice;
    this.#info = info;
  }

  onConnected(connection: Connection): void {
    const subject = accountEventSubject(accountName(connection.account), 'CONNECT');
    if (this.#voice.isHeard(subject)) this.#tell(subject, 'client_connect', { client: clientOf(connection) });
  }

  /** A connection has ended; of one that never said who it is nothing is told. */
  onClosed(ended: EndedConnection): void {
    const connection = ended as Connection;
    if (ended.login === undefined || !(ended.login.connected || ended.login.refused !== null)) return;
    const { closeReason: reason } = ended;
    const isWrong = reason === errors.authorization.text && ended.login.refused !== null;
    if (isWrong) this.#tellEnd(serverEventSubject(this.#info().server_id, 'CLIENT.AUTH.ERR'), connection, reason);
    this.#tellEnd(accountEventSubject(accountName(connection.account), 'DISCONNECT'), connection, reason);
  }

  /** The server is about to end, or begins to. */
  onEnding(event: 'LAMEDUCK' | 'SHUTDOWN'): void {
    this.#voice.tell(serverEventSubject(this.#info().server_id, event), () => this.#server());
  }

  /** Tells how the server is, when it is time to. @param ask has it put together */
  tick(nowMs: number, ask: () => Promise<Uint8Array | null>): void {
    if (nowMs < this.#nextStatszMs) return;
    const subject = serverEventSubject(this.#info().server_id, 'STATSZ');
    // whoever begins to listen need not wait
    if (!this.#voice.isHeard(subject)) return;
    this.#nextStatszMs = nowMs + statszEveryMs;
    void ask().then((text) => {
      if (text !== null) this.#voice.answer(Buffer.from(subject, 'latin1'), text);
    });
  }

  #tellEnd(subject: string, connection: Connection, reason: string): void {
    if (!this.#voice.isHeard(subject)) return;
    const { traffic, clock } = connection;
    const { inMessages, inBytes, outMessages, outBytes } = traffic;
    const rtt = clock.rttMs > 0 ? { rtt: Math.round(clock.rttMs * 1e6) } : {};
    this.#tell(subject, 'client_disconnect', {
      client: { ...clientOf(connection), ...rtt, stop: nowText() },
      // by the client
      sent: { msgs: inMessages, bytes: inBytes },
      received: { msgs: outMessages, bytes: outBytes },
      reason: closeReason(reason),
    });
  }

  #tell(subject: string, type: string, fields: object): void {
    const head = { type: `${typePrefix}.${type}`, id: uniqueId(), timestamp: nowText() };
    this.#voice.tell(subject, () => ({ ...head, server: this.#server(), ...fields }));
  }

  #server() {
    return serverFields(this.#info(), ++this.#sequence);
  }
}

function clientOf(connection: Connection): object {
  const { id, address, startMs, name, lang, version, kind } = reportConnection(connection);
  const said = connection.login.refused;
  const user = said === null ? userOf(connection.options) : said.user;
  const account = accountName(connection.account);
  return {
    start: timeText(startMs * 1000),
    host: address,
    id,
    acc: account,
    ...filled({ user, name: said?.name ?? name, lang, ver: version }),
    name_tag: account,
    kind: 'Client',
    client_type: kind,
  };
}

/** Without what is empty. */
function filled(fields: Readonly<Record<string, string | null>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== null && text !== ''));
}
