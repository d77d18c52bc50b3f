import { accountName, systemAccount } from '../base/account.js';
import { byteText } from '../base/bytes.js';
import { tracedLinesMax, tracedLogCharactersMax } from '../base/limits.js';
import { ProtocolTrace, withoutControls } from '../protocol/protocolTrace.js';
import type { Connection } from './connection.js';
import type { GatewayLimits } from './options.js';
import { TappedReader, TappedTransport } from './protocolTap.js';

type Limits = Pick<GatewayLimits, 'trace' | 'traceVerbose' | 'maxTracedMsgLen'>;

/** Lines for the log, and how many there was no room for before them. */
export type SendLines = (lines: readonly string[], dropped: number) => void;

/**
 * Has the log show what connections and the broker say to each other (`-V`). While it is off nothing asks for it: a connection's reader and
 * transport are others while it is on. What the log has not taken waits, so much of it; the rest is counted.
 */
export class ProtocolLog {
  send: SendLines | null = null;
  #limits: Limits;
  #lines: string[] = [];
  #characters = 0;
  #dropped = 0;
  /** Whether the log has not taken yet what it was sent. */
  #isSending = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Takes what a reload may have changed. */
  reload(limits: Limits, connections: Iterable<Connection>): void {
    this.#limits = limits;
    for (const connection of connections) {
      const { reader, transport } = connection;
      if (reader instanceof TappedReader) connection.reader = reader.plain;
      if (transport instanceof TappedTransport) connection.transport = transport.plain;
      this.begin(connection);
    }
  }

  begin(connection: Connection): void {
    const { trace, traceVerbose, maxTracedMsgLen } = this.#limits;
    if (!trace && !traceVerbose) return;
    const { reader, transport } = connection;
    const isJson = connection.dialect.ping === null;
    const trackOf = (arrow: string): ProtocolTrace =>
      new ProtocolTrace(isJson, maxTracedMsgLen, (text) => this.#tell(connection, arrow, text));
    connection.reader = new TappedReader(reader, trackOf('<<-'));
    connection.transport = new TappedTransport(transport, trackOf('->>'), connection.frameOpcode !== 0);
  }

  get any(): boolean {
    return this.#lines.length > 0 && !this.#isSending;
  }

  /** Whether the log has all that was said. */
  get quiet(): boolean {
    return this.#lines.length === 0 && !this.#isSending;
  }

  /** Sends the log what has collected. */
  doWork(): void {
    if (!this.any || this.send === null) return;
    this.send(this.#lines, this.#dropped);
    this.#isSending = true;
    this.#lines = [];
    this.#characters = this.#dropped = 0;
  }

  /** The log has taken what it was sent. */
  onTaken(): void {
    this.#isSending = false;
  }

  #tell(connection: Connection, arrow: string, text: string): void {
    if (connection.account === systemAccount && !this.#limits.traceVerbose) return;
    const line = `${prefixOf(connection, text.startsWith('[CONNECT '))} - ${arrow} ${text}`;
    if (this.#lines.length >= tracedLinesMax || this.#characters + line.length > tracedLogCharactersMax) {
      this.#dropped++;
      return;
    }
    this.#characters += line.length;
    this.#lines.push(line);
  }
}

/** Who it is, as nats-server says it. @param comes whether that is what it is about to say */
function prefixOf({ remoteAddress, remotePort, id, options, account }: Connection, comes: boolean): string {
  const address = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
  const { version, lang, name, user } = options;
  if (comes) return `${address}:${remotePort} - cid:${id}`;
  const client = [version === '' ? '' : `v${version}`, lang, name].filter((part) => part !== '').join(':');
  const parts = [`${address}:${remotePort}`, `cid:${id}`];
  if (client !== '') parts.push(`"${withoutControls(byteText(client.replaceAll('"', '\\"')))}"`);
  if (user) parts.push(`"${accountName(account)}/user:${withoutControls(byteText(user))}"`);
  return parts.join(' - ');
}
