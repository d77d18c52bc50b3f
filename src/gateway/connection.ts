import type { Socket } from 'node:net';
import { memoryStalledMs } from '../base/limits.js';
import type { ConnectOptions } from '../protocol/connectOptions.js';
import type { Dialect } from '../protocol/dialect.js';
import { Waiter } from '../router/holds.js';
import type { Orderly } from '../router/settling.js';
import type { Topic } from '../router/topic.js';
import { Audience } from './audience.js';
import type { Chunk } from './chunkPool.js';
import type { Door, DoorReader } from './doors/door.js';
import type { MemoryHolder } from './memoryPressure.js';
import type { PendingQueue } from './pendingQueue.js';
import type { Pacing } from './policies/pacing.js';
import type { Linger } from './policies/wish.js';
import type { Wishes } from './policies/wishes.js';
import type { Subscription } from './subscription.js';

/**
 * `open`: reads and writes; `closing`: its last words are on their way, input is thrown away; `closed`: gone.
 */
export type ConnectionState = 'open' | 'closing' | 'closed';

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

/** Of connections that never were behind: one set for all, that stays empty. */
export const noneWaiting: Set<Subscription> = new Set();

/** One client's connection: state only, what happens to it is in `Ingress` and `Egress`. */
export class Connection implements Orderly, MemoryHolder {
  /** Number of the connection in the process, never used twice: NATS's client id. */
  readonly id: number;
  readonly socket: Socket;
  readonly descriptor: number;
  readonly remoteAddress: string;
  /** What it speaks. */
  dialect: Dialect;
  readonly reader: DoorReader;
  readonly frameOpcode: number;
  /** Of WebSocket connections. */
  link: ConnectionLink | null = null;
  state: ConnectionState = 'open';
  /** Why it ends, for the log. */
  closeReason = '';
  options: ConnectOptions;
  authenticated = false;
  /** Whether a CONNECT of it was right, and whether it has had the PONG behind which INFO may come at any time. */
  connectReceived = false;
  firstPongSent = false;
  readonly subscriptions = new Map<string, Subscription>();
  /** Its subscriptions that acknowledge what they are given. */
  acknowledging = 0;
  /** What it asked for its subscriptions; null while it has asked for nothing. */
  wishes: Wishes | null = null;
  /** When the look of its deliveries last changed, or it ended: see `Looks`. */
  lookVersion = 0;

  // ingress
  /** Topic of the last publish: most publishers repeat it. */
  topic: Topic | null = null;
  /** The beginning of an operation that an earlier read left. */
  carry: Uint8Array | null = null;
  /** A large operation that is being put together: its bytes so far, and how many it will have, or 0 when that is not known. */
  partial: Uint8Array | null = null;
  partialBytes = 0;
  partialNeededBytes = 0;
  /** Bytes of the operation that has begun in which its end has been looked for in vain; kept by readers that look for one. */
  searchedBytes = 0;
  /** Input that waits while the connection is parked; not null exactly then. */
  parkedInput: Uint8Array | null = null;
  /** Memory that this, the carry and the partial operation take, in bytes, as `Ingress` has counted it. */
  inputBytes = 0;
  /** Whether its client will say no more. */
  inputEnded = false;
  /** Whether something it said was not taken, since the broker stops: what comes behind it is not the rest of what came before. */
  inputCut = false;
  // see `Orderly`
  unsequenced = false;
  sequencedMarks: Int32Array | null = null;
  fenced = false;
  deliveriesAsked = 0;
  /** How many messages its gateway had given back to their shards when a PONG last waited for them. */
  requeuesSeen = 0;
  /** What the client called the command that is being carried out, for the answer; null where it has no name. */
  requestId: string | null = null;
  /** Images that its subscriptions have asked for and not got whole yet: what a PONG waits for. */
  imagesOwed = 0;
  /** What an operation has left to do, a piece at a time, before the next one is looked at. */
  chore: Iterator<void> | null = null;
  /** Whether its credentials are being verified. */
  verifying = false;
  /** What it has done of its share of a turn, in units of `Work`, and which turn that was. */
  shareUsed = 0;
  shareTurn = -1;
  /** Whether it has more to do than its share, and goes on in a later turn; and whether some of that has been read. */
  deferred = false;
  yielded = false;

  // egress
  /** The audience of this connection alone: its PONGs, errors, and what nobody else gets in the same bytes. */
  readonly solo: Audience;
  /** The open audience it is a member of; there is at most one. */
  openAudience: Audience | null = null;
  /** References to closed segments that wait for the end of the turn. */
  readonly segmentChunks: Chunk[] = [];
  readonly segmentStarts: number[] = [];
  readonly segmentEnds: number[] = [];
  segmentCount = 0;
  /** Messages in these segments. */
  segmentMessages = 0;
  /** How its deliveries are held back to be sent together; null when they are not. */
  linger: Linger | null = null;
  /** What is held back, in messages too, and until when, by the gateway's clock. */
  batch: PendingQueue | null = null;
  batchMessages = 0;
  batchDueMs = 0;
  /** Whether something among its segments does not wait: an answer, or last words. */
  urgent = false;
  /** Whether it is on the list of connections to flush. */
  dirty = false;
  /** What did not go out at once; null while it keeps up. */
  pending: PendingQueue | null = null;
  /** Bytes of `pending` that the socket is writing. */
  inFlightBytes = 0;
  /** Whether it counts as full: more pending than `--topic-buffer`, and not below a quarter of it since. */
  full = false;
  /** Whether it lags: so much is pending that the publishers of what it takes wait for it. */
  lagging = false;
  /** Since when publishers have waited for it while it took nothing; NaN when they do not. See `patience.ts`. */
  waitedSinceMs = Number.NaN;
  /** What it is as a publisher. */
  readonly waiter = new Waiter();
  /** Whether publishers have waited for its subscriptions as long as they may: it is told again if it ends for that. */
  blockSpent = false;
  /** Subscriptions that have a policy. */
  policed = 0;
  /** How many of them conflate, and what bounds what is on its way to the client while there are any and it can be asked. */
  conflating = 0;
  pacing: Pacing | null = null;
  /**
   * Whether these are given to backlogs: since something was pending, until nothing is and all backlogs are empty;
   * all the time while the connection is paced.
   */
  behind = false;
  /** Whether it is on the list of those that may be given some of what waits in backlogs. */
  ready = false;
  /** Those that have something in their backlog, next first. */
  waiting: Set<Subscription> = noneWaiting;
  /** Memory that their backlogs take, in bytes. */
  backlogBytes = 0;
  /** Deliveries that have to be acknowledged, by their number, and the last number used; null while there was none. */
  unacknowledged: Map<number, Subscription> | null = null;
  lastDelivery = 0;
  /** When the kernel last took anything of `pending`, by the gateway's clock. */
  progressMs = 0;

  // health
  pingsOut = 0;
  nextPingMs = 0;
  /** Whether anything was read since the last look. */
  active = false;
  /** When it has to be authenticated, or, once closing, gone. */
  deadlineMs = 0;

  constructor(id: number, socket: Socket, descriptor: number, remoteAddress: string, door: Door) {
    this.id = id;
    this.socket = socket;
    this.descriptor = descriptor;
    this.remoteAddress = remoteAddress;
    this.dialect = door.dialect;
    this.reader = door.reader;
    this.options = door.options;
    this.frameOpcode = door.frameOpcode;
    this.solo = new Audience([this]);
  }

  /** Has its socket read again. */
  resumeReading(): void {
    if (this.link === null || this.link.onResume()) this.socket.resume();
  }

  get parked(): boolean {
    return this.parkedInput !== null;
  }

  get heldBytes(): number {
    const { pending, batch } = this;
    const output = (pending === null ? 0 : pending.heldBytes) + (batch === null ? 0 : batch.heldBytes);
    return output + this.backlogBytes + this.saidBytes + this.#handBytes;
  }

  /** Memory that messages take which its subscriptions have not acknowledged, in bytes. */
  get #handBytes(): number {
    let bytes = 0;
    if (this.unacknowledged === null || this.unacknowledged.size === 0) return bytes;
    for (const { hand } of this.subscriptions.values()) if (hand !== null) bytes += hand.heldBytes;
    return bytes;
  }

  /** Memory that what it has said takes, as far as it is not carried out, in bytes. */
  get saidBytes(): number {
    return this.inputBytes + (this.link === null ? 0 : this.link.heldBytes);
  }

  /** Whether it has something to read and has taken none of it for a while. */
  isStalled(nowMs: number): boolean {
    return this.pendingBytes > 0 && nowMs - this.progressMs >= memoryStalledMs;
  }

  get pendingBytes(): number {
    return this.pending === null ? 0 : this.pending.bytes;
  }
}
