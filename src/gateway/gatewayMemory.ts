import type { Connection } from './connection.js';
import type { Egress } from './egress.js';
import type { Ingress } from './ingress.js';
import type { MemoryCause, MemoryHolder, MemoryPressureHost } from './memoryPressure.js';
import type { Policing } from './policies/policing.js';
import type { Prefetching } from './prefetch/prefetching.js';

/** The parts of a gateway that keep something for clients. */
export interface MemoryParts {
  readonly connections: ReadonlyMap<number, Connection>;
  readonly egress: Egress;
  readonly ingress: Ingress;
  readonly policing: Policing;
  readonly prefetching: Prefetching;
  /** WebSocket messages that are not whole. */
  readonly links: { readonly heldBytes: number };
  /** Ends a connection for what it holds, and tells it. */
  endFor(connection: Connection, cause: MemoryCause): void;
  /** Ends at once one that has been told. */
  close(connection: Connection): void;
  onRelieved(): void;
}

/** What a gateway holds for clients: counted whole, in memory taken and not in bytes used, and by who holds it. */
export class GatewayMemory implements MemoryPressureHost {
  readonly #parts: MemoryParts;

  constructor(parts: MemoryParts) {
    this.#parts = parts;
  }

  get heldBytes(): number {
    const { egress, ingress, policing, prefetching, links } = this.#parts;
    const output = egress.heldBytes + egress.pool.freeBytes + policing.heldBytes + prefetching.heldBytes;
    return output + ingress.heldBytes + links.heldBytes;
  }

  trim(): void {
    this.#parts.egress.pool.trim();
  }

  visitHolders(see: (holder: MemoryHolder) => void): void {
    for (const connection of this.#parts.connections.values()) see(connection);
  }

  endHolder(holder: MemoryHolder, cause: MemoryCause): void {
    const connection = holder as Connection;
    // its last words take too long, and too much
    if (connection.state !== 'open') this.#parts.close(connection);
    else this.#parts.endFor(connection, cause);
  }

  onRelieved(): void {
    this.#parts.onRelieved();
  }
}
