import type { BlockCache } from './blockCache.js';
import type { BlockReader } from './blockReader.js';
import type { DurableStorage } from './durableStorage.js';
import { EntryKind } from './entryLayout.js';
import type { RecordView } from './storage.js';
import type { Timers } from './timers.js';

interface Scan {
  readonly storage: DurableStorage;
  readonly show: (record: RecordView) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Shows all records of streams of one journal: those who ask in the same turn in one pass, however many share its blocks. */
export class ScanPass {
  readonly #cache: BlockCache;
  readonly #timers: Timers;
  /** Of the next pass, by the number of their stream. */
  #scans = new Map<number, Scan>();

  constructor(cache: BlockCache, timers: Timers) {
    this.#cache = cache;
    this.#timers = timers;
  }

  /** Shows the records of a stream that lie in files, in order. Rejects when one is damaged or cannot be read. */
  scan(storage: DurableStorage, show: (record: RecordView) => void): Promise<void> {
    if (this.#scans.size === 0) this.#timers.soon(() => void this.#run());
    return new Promise((resolve, reject) => {
      this.#scans.set(storage.number, { storage, show, resolve, reject });
    });
  }

  async #run(): Promise<void> {
    const scans = this.#scans;
    this.#scans = new Map();
    for (const [position, lengthBytes] of blocksOf(scans)) await this.#showBlock(scans, position, lengthBytes);
    for (const { resolve } of scans.values()) resolve();
  }

  #showBlock(scans: Map<number, Scan>, position: number, lengthBytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#cache.read(position, lengthBytes, (reader, reason) => {
        if (reader === null) refuse(scans, position, reason);
        else showAll(scans, reader, position);
        resolve();
      });
    });
  }
}

/** Positions and lengths of the blocks that have records, in order. */
function blocksOf(scans: Map<number, Scan>): [number, number][] {
  const blocks = new Map<number, number>();
  for (const { storage } of scans.values())
    storage.forEachBlock((position, lengthBytes) => blocks.set(position, lengthBytes));
  return [...blocks].sort(([a], [b]) => a - b);
}

function showAll(scans: Map<number, Scan>, reader: BlockReader, position: number): void {
  reader.rewind();
  while (reader.next()) {
    if (reader.entryKind !== EntryKind.record) continue;
    const scan = scans.get(reader.stream);
    if (scan?.storage.hasIn(reader.sequence, position)) scan.show(scan.storage.view(reader));
  }
}

/** A block cannot be read: those who have records in it are told. */
function refuse(scans: Map<number, Scan>, position: number, reason: string): void {
  for (const [number, { storage, reject }] of scans) {
    let isIn = false;
    storage.forEachBlock((each) => {
      isIn ||= each === position;
    });
    if (!isIn) continue;
    scans.delete(number);
    reject(new Error(reason));
  }
}
