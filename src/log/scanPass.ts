import { MinHeap } from '../base/minHeap.js';
import type { BlockCache } from './blockCache.js';
import type { BlockReader } from './blockReader.js';
import type { DurableStorage } from './durableStorage.js';
import { RunPlace } from './recordPlaces.js';
import type { RecordView } from './storage.js';
import type { Timers } from './timers.js';

interface Scan {
  readonly storage: DurableStorage;
  readonly show: (record: RecordView) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** The run that is shown next. */
  readonly run: RunPlace;
}

/** Shows all records of streams of one journal: those who ask in the same turn in one pass, however many share its blocks. */
export class ScanPass {
  readonly #cache: BlockCache;
  readonly #timers: Timers;
  /** Of the next pass. */
  #scans: Scan[] = [];

  constructor(cache: BlockCache, timers: Timers) {
    this.#cache = cache;
    this.#timers = timers;
  }

  /** Shows the records of a stream that lie in files, in order. Rejects when one is damaged or cannot be read. */
  scan(storage: DurableStorage, show: (record: RecordView) => void): Promise<void> {
    if (this.#scans.length === 0) this.#timers.soon(() => void this.#run());
    return new Promise((resolve, reject) => {
      this.#scans.push({ storage, show, resolve, reject, run: new RunPlace() });
    });
  }

  /** Goes through the files from their beginning, and where records were copied behind later ones, more than once. */
  async #run(): Promise<void> {
    const waiting = new MinHeap<Scan>(({ run }) => run.block);
    for (const scan of this.#scans.splice(0)) advance(scan, waiting);
    for (let scan = waiting.least; scan !== undefined; scan = waiting.least) {
      const { block, blockBytes } = scan.run;
      const here = new Map<number, Scan>();
      for (let each = waiting.least; each?.run.block === block; each = waiting.least) {
        here.set(each.storage.number, each);
        waiting.removeLeast();
      }
      for (const each of await this.#showBlock(here, block, blockBytes)) advance(each, waiting);
    }
  }

  /** Shows what scans look for in a block; resolves with those that go on. */
  #showBlock(scans: Map<number, Scan>, position: number, lengthBytes: number): Promise<Iterable<Scan>> {
    return new Promise((resolve) => {
      this.#cache.read(position, lengthBytes, (reader, reason) => {
        if (reader !== null) showAll(scans, reader);
        else for (const { reject } of scans.values()) reject(new Error(reason));
        resolve(reader === null ? [] : scans.values());
      });
    });
  }
}

/** Goes on to the next run that has records, if there is one. */
function advance(scan: Scan, waiting: MinHeap<Scan>): void {
  if (scan.storage.showRun(scan.run.end, scan.run)) waiting.add(scan);
  else scan.resolve();
}

function showAll(scans: Map<number, Scan>, reader: BlockReader): void {
  reader.rewind();
  while (reader.next()) {
    if (!reader.isRecord) continue;
    const scan = scans.get(reader.stream);
    if (scan === undefined) continue;
    const { run, storage } = scan;
    if (reader.sequence < run.first || reader.sequence >= run.end) continue;
    if (storage.hasIn(reader.sequence, run.block)) scan.show(storage.view(reader));
  }
}
