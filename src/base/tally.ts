import { histogramNumbers, mergeHistograms } from './histogram.js';

/**
 * What a thread counts since its start, in memory that others read without asking it: a row a thread, which that thread alone writes.
 * A number of 8 bytes at a multiple of 8 is written whole, so that a reader sees each as it was or as it is; two of them it may see at different times.
 */
export const tally = {
  /** Messages of clients that were carried out, be it that they were refused, and the bytes of their headers and payloads. */
  inMessages: 0,
  inBytes: 1,
  /** Messages for clients, once for each subscription that gets them, and their bytes. */
  outMessages: 2,
  outBytes: 3,
  /** Connections that were taken; on the main thread all, on others none. */
  accepted: 4,
  /** Connections that were sent away: too many, or the system had nothing left for them. */
  refused: 5,
  /** Connections that were ended for what waited for them, or since they took nothing for too long. */
  slowConsumers: 6,
  /** That were ended since they did not answer PINGs; for wrong credentials; since they gave none in time. */
  staleConnections: 7,
  authFailures: 8,
  authTimeouts: 9,
  /** Subscriptions that have begun, and that have ended. */
  subscribed: 10,
  unsubscribed: 11,
  /** Messages that policies of subscriptions dropped, or replaced by newer ones of the same key, and that laggards were not sent. */
  dropped: 12,
  replaced: 13,
  skipped: 14,
  /** Requests to the monitoring port with wrong credentials; without any they are but told that some are needed. */
  wrongRequests: 15,
  /** Messages that nobody wanted, but for those of which the kernel found that out. */
  unwanted: 16,
  /** Messages that each policy dropped; conflation replaces. */
  droppedByDisconnect: 17,
  droppedByDropNew: 18,
  droppedByDropOld: 19,
  droppedByBlock: 20,
  droppedByConflate: 21,
  /** How often connections began to wait, by what for, and for how long they have, in milliseconds. */
  parkedForMemory: 22,
  parkedForSubscribers: 23,
  parkedForRoom: 24,
  parkedForOthers: 25,
  parkedMsForMemory: 26,
  parkedMsForSubscribers: 27,
  parkedMsForRoom: 28,
  parkedMsForOthers: 29,
  /** Turns in which there was something to do, and how long they took, in milliseconds. */
  turns: 30,
  turnMs: 31,
  /** Looks at how late a timer was, and how late all together, in milliseconds. */
  delays: 32,
  delayMs: 33,
  /** Dead letters that were published, that were denied, and for which there was no room. */
  deadLetters: 34,
  lettersDenied: 35,
  lettersLost: 36,
  /** Connections that came to be of the system account, and those of them that have ended. */
  systemBegun: 37,
  systemEnded: 38,
  /** The same of subscriptions. */
  systemSubscribed: 39,
  systemUnsubscribed: 40,
  /** Spans of messages that were exported, that whoever takes them has not taken, and for which there was no room. */
  spansExported: 41,
  spansFailed: 42,
  spansDropped: 43,
} as const;

export type TallyName = keyof typeof tally;
const tallyNames = Object.keys(tally) as readonly TallyName[];

/** Histograms of a thread, behind its counts: how long messages take from read to written, turns, timers too late, writes of a journal, handlers in process. */
export const histogramNames = ['readToWritten', 'turn', 'delay', 'commit', 'handler'] as const;
export type HistogramName = (typeof histogramNames)[number];
const paddedHistogram = Math.ceil(histogramNumbers / 8) * 8;

/** Rows of different writers share no line of memory. */
const tallyNumbers = 64;
const rowNumbers = tallyNumbers + histogramNames.length * paddedHistogram;

export type TallyRow = Float64Array;

/** Makes room for the rows of so many threads. */
export function createTallies(rows: number): SharedArrayBuffer {
  return new SharedArrayBuffer(rows * rowNumbers * Float64Array.BYTES_PER_ELEMENT);
}

/** Which threads have rows: shards, the main one, the monitor's, the one that exports spans, and the process's own with an endpoint. */
export const tallyRows = {
  main: (shards: number): number => shards,
  monitor: (shards: number): number => shards + 1,
  telemetry: (shards: number): number => shards + 2,
  /** Endpoints are numbered behind the shards. */
  endpoint: (endpoint: number): number => endpoint + 3,
} as const;

export function tallyRow(memory: SharedArrayBuffer, row: number): TallyRow {
  return new Float64Array(memory, row * rowNumbers * Float64Array.BYTES_PER_ELEMENT, tallyNames.length);
}

/** A row that nobody else reads. */
export function ownTallyRow(): TallyRow {
  return tallyRow(createTallies(1), 0);
}

/** The numbers of a histogram beside a row. */
export function histogramIn(row: TallyRow, name: HistogramName): Float64Array {
  const at = tallyNumbers + histogramNames.indexOf(name) * paddedHistogram;
  return new Float64Array(row.buffer, row.byteOffset + at * Float64Array.BYTES_PER_ELEMENT, histogramNumbers);
}

/** All threads' histograms, those of one name as one. */
export function mergedHistograms(memory: SharedArrayBuffer): Record<HistogramName, Float64Array> {
  const rows = memory.byteLength / (rowNumbers * Float64Array.BYTES_PER_ELEMENT);
  const all = Array.from({ length: rows }, (_, row) => tallyRow(memory, row));
  const merged = (name: HistogramName) => mergeHistograms(all.map((row) => histogramIn(row, name)));
  return Object.fromEntries(histogramNames.map((name) => [name, merged(name)])) as Record<HistogramName, Float64Array>;
}

/** What the thread of one row has counted. */
export function readTally(memory: SharedArrayBuffer, row: number): Record<TallyName, number> {
  const numbers = tallyRow(memory, row);
  return Object.fromEntries(tallyNames.map((name) => [name, numbers[tally[name]]])) as Record<TallyName, number>;
}

/** What all threads have counted. */
export function sumTallies(memory: SharedArrayBuffer): Record<TallyName, number> {
  const all = new Float64Array(memory);
  const sums = tallyNames.map((name): [TallyName, number] => {
    let sum = 0;
    for (let at = tally[name]; at < all.length; at += rowNumbers) sum += all[at] as number;
    return [name, sum];
  });
  return Object.fromEntries(sums) as Record<TallyName, number>;
}
