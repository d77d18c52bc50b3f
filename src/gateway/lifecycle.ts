import { type TallyName, type TallyRow, tally } from '../base/tally.js';
import type { Turn } from '../base/turn.js';
import { cost } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import { errors, type ProtocolError } from '../protocol/errors.js';
import type { Router } from '../router/router.js';
import { hasCaughtUp, isSettled } from '../router/settling.js';
import type { Topic } from '../router/topic.js';
import type { Backpressure } from './backpressure.js';
import type { Connection } from './connection.js';
import type { Egress } from './egress.js';
import type { Health, HealthEvents } from './health.js';
import type { Ingress } from './ingress.js';
import type { MemoryCause } from './memoryPressure.js';
import type { Policing } from './policies/policing.js';
import type { Subscriptions } from './subscriptions.js';

export const shutdownReason = 'server shutdown';

/** The parts of a gateway that keep something for a connection. */
export interface LifecycleParts {
  readonly connections: Map<number, Connection>;
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly egress: Egress;
  readonly ingress: Ingress;
  readonly subscriptions: Subscriptions;
  readonly policing: Policing;
  readonly backpressure: Backpressure;
  readonly health: Health;
  readonly turn: Turn;
  readonly events: LifecycleEvents;
  readonly tally: TallyRow;
  /** A connection that was open ends: what it has is about to go. */
  noteEnd(connection: Connection, reason: string): void;
}

/** What is told of connections that end, or are waited for no longer. */
export interface LifecycleEvents {
  onClosed(connection: Connection): void;
  onSlowConsumer(connection: Connection, pendingBytes: number): void;
  /** Publishers have waited for a connection's subscriptions as long as they may. */
  onBlockSpent(connection: Connection): void;
  /** All together hold more than they may, and this connection held most. */
  onMemoryFull(connection: Connection, cause: MemoryCause): void;
}

/** Ends connections: at once, behind their last words, or for what they hold or leave undone. */
export class Lifecycle implements HealthEvents {
  readonly #parts: LifecycleParts;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  /** Ends a connection at once. */
  close(connection: Connection, reason: string): void {
    if (connection.state === 'closed') return;
    const { egress, router, ingress, turn, events } = this.#parts;
    router.work.units += cost.end;
    this.#forgetBacklogs(connection);
    this.#parts.noteEnd(connection, reason);
    this.#parts.subscriptions.endAll(connection);
    connection.enter('closed', reason);
    egress.discard(connection);
    this.#parts.backpressure.note(connection, egress.nowMs);
    router.holds.forget(connection.waiter);
    this.#parts.connections.delete(connection.id);
    connection.socket.destroy();
    connection.link?.onConnectionClosed();
    ingress.discard(connection);
    connection.topic = null;
    events.onClosed(connection);
    turn.request();
  }

  /** Ends a connection that will say no more, once it is sent what was in order before; false while it is not known what that is. */
  finishInput(connection: Connection, reason: string): boolean {
    const { exchange } = this.#parts;
    if (connection.storing > 0) return false;
    if (!isSettled(connection.order, exchange) || !hasCaughtUp(connection.order, exchange)) return false;
    this.endAfterFlush(connection, reason);
    return true;
  }

  /** Ends a connection once what was written to it is out, or after a while; its input is thrown away from now on. */
  endAfterFlush(connection: Connection, reason: string): void {
    if (connection.state !== 'open') return;
    const { egress, turn } = this.#parts;
    this.#parts.router.work.units += cost.end;
    this.#parts.noteEnd(connection, reason);
    this.#parts.subscriptions.endAll(connection);
    connection.link?.close(closeCode(reason), reason);
    connection.enter('closing', reason);
    this.#parts.ingress.discard(connection);
    this.#parts.backpressure.note(connection, egress.nowMs);
    this.#parts.health.linger(connection);
    connection.socket.resume();
    egress.hurry(connection);
    if (egress.isDrained(connection)) connection.socket.end();
    turn.request();
  }

  /** Ends a client that does not take what it is sent. */
  endSlow(connection: Connection): void {
    if (connection.state !== 'open') return;
    this.#count('slowConsumers');
    this.#parts.events.onSlowConsumer(connection, connection.pendingBytes);
    this.#endShort(connection, errors.slowConsumer);
  }

  /** All together hold more than they may, and this one most. */
  endForMemory(connection: Connection, cause: MemoryCause): void {
    if (connection.state !== 'open') {
      // its last words take too long, and too much
      this.close(connection, connection.closeReason);
      return;
    }
    this.#parts.events.onMemoryFull(connection, cause);
    const says = connection.saidBytes * 2 > cause.heldBytes;
    this.#endShort(connection, says ? errors.memoryExceeded : errors.slowConsumer);
  }

  /** Publishers have waited as long as they may for a connection's subscriptions. */
  stopBlocking(connection: Connection): void {
    if (connection.state !== 'open') return;
    this.#parts.policing.stopBlocking(connection);
    connection.lag.noteSpent();
    this.#tellBlockSpent(connection);
    this.#parts.events.onBlockSpent(connection);
    this.#parts.turn.request();
  }

  /** Tells a client what ends it, or what it did wrong. */
  fail(connection: Connection, error: ProtocolError): void {
    this.#parts.egress.write(connection, connection.dialect.error(error.text, connection.requestId));
    const counted = connection.state === 'open' ? countedErrors.get(error) : undefined;
    if (counted !== undefined) this.#count(counted);
    if (error.closes) this.endAfterFlush(connection, error.text);
    this.#parts.turn.request();
  }

  #count(name: TallyName): void {
    this.#parts.tally[tally[name]]++;
  }

  /** Ends all connections once what is written to them is out. */
  endAll(): void {
    for (const connection of this.#parts.connections.values()) this.endAfterFlush(connection, shutdownReason);
  }

  /** Ends some of the connections, as `endAll`; what was in order before is still sent to them. */
  endSome(count: number, reason: string): void {
    this.#parts.exchange.drainDeliveries();
    let left = count;
    for (const connection of this.#parts.connections.values()) {
      if (left === 0) break;
      if (connection.state !== 'open') continue;
      this.endAfterFlush(connection, reason);
      left--;
    }
  }

  onStale(connection: Connection): void {
    this.fail(connection, errors.staleConnection);
  }

  onAuthTimeout(connection: Connection): void {
    this.fail(connection, errors.authTimeout);
  }

  onWriteDeadline(connection: Connection): void {
    this.endSlow(connection);
  }

  onLingered(connection: Connection): void {
    this.close(connection, connection.closeReason);
  }

  /** Ends a connection that has more than it may: what waits for it is dropped, and its last words follow what is on its way. */
  #endShort(connection: Connection, error: ProtocolError): void {
    const { egress } = this.#parts;
    this.#forgetBacklogs(connection);
    egress.cutShort(connection);
    if (connection.lag.spent) this.#tellBlockSpent(connection);
    egress.write(connection, connection.dialect.error(error.text, null));
    this.endAfterFlush(connection, error.text);
  }

  #forgetBacklogs(connection: Connection): void {
    for (const subscription of [...connection.backlogs.waiting]) this.#parts.policing.forget(subscription);
  }

  #tellBlockSpent(connection: Connection): void {
    this.#parts.egress.write(connection, connection.dialect.error(errors.blockSpent.text, null));
  }
}

/** Ends that are counted. */
const countedErrors: ReadonlyMap<ProtocolError, TallyName> = new Map([
  [errors.authorization, 'authFailures'],
  [errors.authTimeout, 'authTimeouts'],
  [errors.staleConnection, 'staleConnections'],
]);

/** The WebSocket close code for the end of a connection: going away, or a policy that was violated (RFC 6455, section 7.4). */
function closeCode(reason: string): number {
  return reason === shutdownReason ? 1001 : 1008;
}
