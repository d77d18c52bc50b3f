import { crowdDeliveriesMin } from '../base/limits.js';
import { crowdWriteShift, queueShift, writeShift } from '../base/work.js';
import type { Chunk } from './chunkPool.js';
import type { Connection } from './connection.js';
import type { KernelOutput } from './mixed/outputs.js';

/**
 * A set of connections of one door that get the same bytes, with the chunk that these are being written into. Audiences that are
 * open at the same time have no member in common; that alone keeps the order on every connection.
 */
export class Audience {
  readonly members: readonly Connection[];
  open = false;
  chunk: Chunk | null = null;
  /** Where the bytes that no member has a reference to yet begin and end. */
  start = 0;
  end = 0;
  /** How far what it gets has been counted as work. */
  charged = 0;
  /** Messages since the audience was last opened, and the bytes of their headers and payloads. */
  messages = 0;
  messageBytes = 0;
  /** Members that had something pending when it was last opened: what comes for them is copied. */
  behind = 0;
  /** Bytes of the last turn in which it was used: how large a chunk it will want. */
  lastTurnBytes = 0;
  turnBytes = 0;
  /** The sweep in which a plan was last seen to use it. */
  usedSweep = 0;

  /** Where the kernel writes for it; null when it does not. */
  kernelOutput: KernelOutput | null = null;

  /** Opcode of the WebSocket frames around its bytes, the same for all members; 0 for none. */
  readonly frameOpcode: number;

  constructor(members: readonly Connection[]) {
    this.members = members;
    this.frameOpcode = members[0].frameOpcode;
  }

  /** What it costs to send so many bytes to all members, or to keep a copy for each that is behind and shares none, in units of `Work`. */
  unitsOf(lengthBytes: number): number {
    const { members, chunk } = this;
    const behind = chunk?.shared === true ? 0 : this.behind;
    const shift = members.length < crowdDeliveriesMin ? writeShift : crowdWriteShift;
    return behind * (lengthBytes >> queueShift) + (members.length - behind) * (lengthBytes >> shift);
  }
}

/** Audiences by their members, so that all topics with the same set of connections have the same one. */
export class Audiences {
  readonly #byHash = new Map<number, Audience[]>();
  #size = 0;
  #sweep = 0;

  get size(): number {
    return this.#size;
  }

  /** The audience of these connections. */
  intern(connections: Connection[]): Audience {
    if (connections.length === 1) return connections[0].solo;
    connections.sort((a, b) => a.id - b.id);
    let hash = 0;
    for (const connection of connections) hash = Math.imul(hash, 31) + connection.id;
    hash |= 0;
    let candidates = this.#byHash.get(hash);
    if (candidates === undefined) {
      candidates = [];
      this.#byHash.set(hash, candidates);
    }
    let audience = candidates.find((candidate) => sameMembers(candidate.members, connections));
    if (audience === undefined) {
      audience = new Audience(connections);
      candidates.push(audience);
      this.#size++;
    }
    audience.usedSweep = this.#sweep;
    return audience;
  }

  /** A plan uses the audience. */
  mark(audience: Audience): void {
    audience.usedSweep = this.#sweep;
  }

  /** Every plan has been visited since the last call: forgets the audiences that none of them uses. */
  sweep(): void {
    for (const [hash, candidates] of this.#byHash) {
      const kept = candidates.filter((audience) => audience.usedSweep === this.#sweep || audience.open);
      this.#size -= candidates.length - kept.length;
      if (kept.length === 0) this.#byHash.delete(hash);
      else if (kept.length < candidates.length) this.#byHash.set(hash, kept);
    }
    this.#sweep++;
  }
}

function sameMembers(a: readonly Connection[], b: readonly Connection[]): boolean {
  return a.length === b.length && a.every((connection, i) => connection === b[i]);
}
