import { Connection } from './connection.js';
import type { Egress } from './egress.js';
import type { Ingress } from './ingress.js';
import type { Lifecycle } from './lifecycle.js';
import type { MemoryCause, MemoryOwner, MemoryPressureHost } from './memoryPressure.js';
import type { Policing } from './policies/policing.js';
import type { Prefetching } from './prefetch/prefetching.js';

/** The parts of a gateway that keep something for clients. */
export interface MemoryParts {
  readonly connections: ReadonlyMap<number, Connection>;
  readonly egress: Egress;
  readonly ingress: Ingress;
  readonly policing: Policing;
  readonly delivery: { readonly prefetching: Prefetching };
  readonly lifecycle: Lifecycle;
  /** WebSocket messages that are not whole. */
  readonly links: { readonly heldBytes: number };
  /** What waits for groups on this thread's shard. */
  readonly works: MemoryWorks;
  /** Whoever is parked may try again. */
  relieve(): void;
}

/** What waits for groups of which no member has room, by group. */
export interface MemoryWorks {
  visit(see: (work: MemoryOwner) => void): void;
  /** Drops all that waits for one of them, and tells. */
  drop(work: MemoryOwner, cause: MemoryCause): void;
}

/** What a gateway holds for clients: counted whole, in memory taken and not in bytes used, and by who holds it. */
export class GatewayMemory implements MemoryPressureHost {
  readonly #parts: MemoryParts;

  constructor(parts: MemoryParts) {
    this.#parts = parts;
  }

  get heldBytes(): number {
    return this.clientBytes + this.#parts.egress.pool.freeBytes;
  }

  /** The same without chunks that are kept for reuse. */
  get clientBytes(): number {
    const { egress, ingress, policing, delivery, links } = this.#parts;
    return egress.heldBytes + policing.heldBytes + delivery.prefetching.heldBytes + ingress.heldBytes + links.heldBytes;
  }

  trim(): void {
    this.#parts.egress.pool.trim();
  }

  visitOwners(see: (owner: MemoryOwner) => void): void {
    for (const connection of this.#parts.connections.values()) see(connection);
    this.#parts.works.visit(see);
  }

  endOwner(owner: MemoryOwner, cause: MemoryCause): void {
    if (!(owner instanceof Connection)) this.#parts.works.drop(owner, cause);
    else this.#parts.lifecycle.endForMemory(owner, cause);
  }

  onRelieved(): void {
    this.#parts.relieve();
  }
}
