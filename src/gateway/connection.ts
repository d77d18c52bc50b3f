import type { Socket } from 'node:net';
import { mainAccount } from '../base/account.js';
import { memoryStalledMs } from '../base/limits.js';
import type { ConnectOptions } from '../protocol/connectOptions.js';
import type { Dialect } from '../protocol/dialect.js';
import { Waiter } from '../router/holds.js';
import type { Rights } from '../router/rights.js';
import type { Topic } from '../router/topic.js';
import { Audience } from './audience.js';
import { Awaited } from './connection/awaited.js';
import { Backlogs } from './connection/backlogs.js';
import { Clock } from './connection/clock.js';
import { Input } from './connection/input.js';
import { Lag } from './connection/lag.js';
import { Login } from './connection/login.js';
import { Order } from './connection/order.js';
import { Output } from './connection/output.js';
import { assertFollows, type ConnectionState } from './connection/phase.js';
import { Share } from './connection/share.js';
import { Traffic } from './connection/traffic.js';
import { Unacknowledged } from './connection/unacknowledged.js';
import type { Door, DoorReader } from './doors/door.js';
import type { MemoryOwner } from './memoryPressure.js';
import { type Transport, transportOf } from './output/transport.js';
import type { Linger } from './policies/deliveryOptions.js';
import type { RequestedOptions } from './policies/requestedOptions.js';
import type { Subscription } from './subscription.js';

/** What stands between a connection's socket and its reader, where there is anything. */
export interface ConnectionLink {
  /** Says goodbye: the last that is written. */
  close(code: number, reason: string): void;
  /** Goes on with what came before it was stopped; returns whether the connection's socket is to be read again. */
  onResume(): boolean;
  /** Memory that what has come and is not whole yet takes, in bytes. */
  readonly heldBytes: number;
  onConnectionClosed(): void;
}

/** One client's connection: state only, what happens to it is in `Ingress` and `Egress`. */
export class Connection implements MemoryOwner {
  /** Number of the connection in the process, never used twice: NATS's client id. */
  readonly id: number;
  readonly socket: Socket;
  /** How bytes leave for it. */
  /** Another while the log shows what is said. */
  transport: Transport;
  readonly remoteAddress: string;
  /** 0 while it is not known. */
  remotePort = 0;
  /** What it speaks. */
  dialect: Dialect;
  reader: DoorReader;
  readonly frameOpcode: number;
  /** Of WebSocket connections. */
  link: ConnectionLink | null = null;
  #state: ConnectionState = 'open';
  #closeReason = '';
  options: ConnectOptions;
  /** Whose subjects it uses: that of its first CONNECT that is right, before which it does nothing where there is more than one. */
  account = mainAccount;
  /** What it may do; null where nothing is forbidden. */
  rights: Rights | null = null;
  readonly subscriptions = new Map<string, Subscription>();
  /** Its subscriptions that acknowledge what they are given. */
  acknowledging = 0;
  /** What it asked for its subscriptions; null while it has asked for nothing. */
  requestedOptions: RequestedOptions | null = null;
  /** When the look of its deliveries last changed, or it ended: see `Looks`. */
  lookVersion = 0;

  readonly input = new Input();
  readonly share = new Share();
  readonly output = new Output();
  readonly lag = new Lag();
  readonly clock = new Clock();
  readonly login = new Login();
  readonly order = new Order();
  readonly backlogs = new Backlogs();
  readonly unacknowledged = new Unacknowledged();
  readonly traffic = new Traffic();
  /** Where it awaits answers, as far as that has been looked up. */
  readonly awaited = new Awaited();
  /** Topic of the last publish: most publishers repeat it. */
  topic: Topic | null = null;
  /** What stands for the subject of the last publish, if that was a request to the broker which has no topic of its own. */
  asked: Topic | null = null;
  /** Bytes of the operation that has begun in which its end has been looked for in vain; kept by readers that look for one. */
  searchedBytes = 0;
  /** What the client called the command that is being carried out, for the answer; null where it has no name. */
  requestId: string | null = null;
  /** Its messages that are being traced: see `Traces`. */
  tracing = 0;
  /** Publishes and acknowledgements that it hears of when they are stored. */
  storing = 0;
  /** Acknowledgements among them: what a PONG waits for, too. */
  confirming = 0;
  /** Whether its durable subscription is being found, or made: nothing more of its input is read until then. */
  opening = false;
  /** How many of these it has. */
  durables = 0;
  /** Images that its subscriptions have asked for and not got whole yet: what a PONG waits for. */
  imagesOwed = 0;
  /** What an operation has left to do, a piece at a time, before the next one is looked at. */
  chore: Iterator<void> | null = null;
  // egress
  /** The audience of this connection alone: its PONGs, errors, and what nobody else gets in the same bytes. */
  readonly solo: Audience;
  /** How its deliveries are held back to be sent together; null when they are not. */
  linger: Linger | null = null;
  /** What it is as a publisher. */
  readonly waiter = new Waiter();

  /** @param descriptor the socket's, to write to directly; negative where that must not be */
  constructor(id: number, socket: Socket, descriptor: number, remoteAddress: string, door: Door) {
    this.id = id;
    this.socket = socket;
    this.transport = transportOf(socket, descriptor);
    this.remoteAddress = remoteAddress;
    this.dialect = door.dialect;
    this.reader = door.reader;
    this.options = door.options;
    this.frameOpcode = door.frameOpcode;
    this.solo = new Audience([this]);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Why it ends, for the log; empty while it does not. */
  get closeReason(): string {
    return this.#closeReason;
  }

  /** Changes what it is; the first reason stays. */
  enter(next: ConnectionState, reason: string): void {
    assertFollows(this.#state, next);
    this.#state = next;
    if (this.#closeReason === '') this.#closeReason = reason;
  }

  /** Has its socket read again. */
  resumeReading(): void {
    if (this.link === null || this.link.onResume()) this.socket.resume();
  }

  /** Whether its next operation waits for something that no room and no turn brings. */
  get awaitsVerdict(): boolean {
    return this.login.verifying || this.opening;
  }

  /** Whether its input waits. */
  get parked(): boolean {
    return this.input.parked !== null;
  }

  /** Whether publishers do well to wait for it while it is behind. */
  isWaitable(nowMs: number): boolean {
    return this.state === 'open' && this.lag.isWaitable(nowMs);
  }

  get heldBytes(): number {
    return this.output.heldBytes + this.backlogs.heldBytes + this.saidBytes + this.#handBytes;
  }

  /** Memory that messages take which its subscriptions have not acknowledged, in bytes. */
  get #handBytes(): number {
    let bytes = 0;
    if (this.unacknowledged.count === 0) return bytes;
    for (const { inFlight, listener } of this.subscriptions.values()) {
      if (inFlight !== null) bytes += inFlight.heldBytes;
      if (listener !== null) bytes += listener.heldBytes;
    }
    return bytes;
  }

  /** Memory that what it has said takes, as far as it is not carried out, in bytes. */
  get saidBytes(): number {
    return this.input.heldBytes + (this.link === null ? 0 : this.link.heldBytes);
  }

  /** Whether it has something to read and has taken none of it for a while. */
  isStalled(nowMs: number): boolean {
    return this.pendingBytes > 0 && nowMs - this.output.progressMs >= memoryStalledMs;
  }

  get pendingBytes(): number {
    return this.output.pendingBytes;
  }
}
