import { NumberList } from '../../base/numberList.js';
import { PieceReader, PieceWriter } from '../../base/pieces.js';
import { Decoding } from '../api/decoding.js';
import { parseJson, writeJson } from '../api/json.js';
import { type ConsumerConfig, consumerJson, readConsumerConfig } from '../consumerConfig.js';
import type { Floor } from './consumer.js';

/** Another one for whatever changes in what is laid out. The first one did not say since when filters are as they are. */
const stateVersion = 2;
const stateVersions = [1, stateVersion];
const numbersAnEntry = 5;

/** A message in flight as it is kept. */
export interface KeptDelivery {
  readonly sequence: number;
  readonly firstDelivery: number;
  readonly lastDelivery: number;
  readonly deliveries: number;
  /** When it is due again, in milliseconds since 1970; 0 for at once, infinity for never. */
  readonly dueMs: number;
}

/** Where a consumer has come to. */
export interface Progress {
  next: number;
  deliveries: number;
  ackFloor: Floor;
  deliveredUs: number;
  acknowledgedUs: number;
  /** The next of the last messages with which it begins; infinity when none is left. */
  nextLast: number;
}

/** What has changed of a consumer; valid until the next change is asked for. */
export interface ConsumerChange {
  readonly progress: Progress;
  /** Messages that are in flight now, or otherwise than before, as `addEntry` lays them out; those that were given up; and those that are neither any more. */
  readonly entries: Float64Array;
  readonly givenUp: Float64Array;
  readonly removed: Float64Array;
}

/** All that a consumer is, as far as it is to be found again. */
export interface ConsumerState {
  readonly config: ConsumerConfig;
  readonly name: string;
  readonly createdUs: number;
  /** The last messages of subjects with which it begins, in order: those from `progress.nextLast` on, as far as they are there. */
  readonly lasts: readonly number[];
  readonly progress: Progress;
  readonly inFlight: Map<number, KeptDelivery>;
  readonly givenUp: Set<number>;
  /** Before this message it may have passed over what it takes by now: it was reset, or its filters were others. */
  readonly since: number;
}

export function writeState(state: ConsumerState): Uint8Array {
  const target = new PieceWriter();
  target.number(stateVersion);
  target.array(Buffer.from(writeJson(consumerJson(state.config, null))));
  target.array(Buffer.from(state.name));
  target.number(state.createdUs);
  target.array(Float64Array.from(state.lasts));
  writeProgress(target, state.progress);
  target.array(entriesOf(state.inFlight.values()));
  target.array(Float64Array.from(state.givenUp));
  target.number(state.since);
  return target.take();
}

/** @throws Error for what this version cannot read */
export function readState(bytes: Uint8Array): ConsumerState {
  const source = new PieceReader(bytes);
  const version = source.number();
  if (!stateVersions.includes(version))
    throw new Error(`the state of a consumer is of version ${version}, not ${stateVersion}`);
  const config = readConfig(Buffer.from(source.bytes()).toString());
  const name = Buffer.from(source.bytes()).toString();
  const createdUs = source.number();
  const lasts = [...source.doubles()];
  const progress = readProgress(source);
  const inFlight = new Map(readEntries(source).map((entry) => [entry.sequence, entry]));
  const givenUp = new Set(source.doubles());
  const since = version === stateVersion ? source.number() : 0;
  return { config, name, createdUs, lasts, progress, inFlight, givenUp, since };
}

function readConfig(text: string): ConsumerConfig {
  const decoding = new Decoding('ConsumerConfig');
  const [parsed = null] = [...parseJson(text)];
  const config = readConsumerConfig(parsed, decoding);
  if (decoding.error !== null) throw new Error(`a consumer's configuration is not of this version: ${decoding.error}`);
  return config;
}

export function writeChange({ progress, entries, removed, givenUp }: ConsumerChange): Uint8Array {
  const target = new PieceWriter();
  writeProgress(target, progress);
  target.array(entries);
  target.array(givenUp);
  target.array(removed);
  return target.take();
}

/** Carries out a change. What was laid out may have it already: numbers only rise. */
export function applyChange(state: ConsumerState, bytes: Uint8Array): void {
  const source = new PieceReader(bytes);
  const { progress } = state;
  const changed = readProgress(source);
  progress.next = Math.max(progress.next, changed.next);
  progress.deliveries = Math.max(progress.deliveries, changed.deliveries);
  if (changed.ackFloor.delivery >= progress.ackFloor.delivery) progress.ackFloor = changed.ackFloor;
  progress.deliveredUs = Math.max(progress.deliveredUs, changed.deliveredUs);
  progress.acknowledgedUs = Math.max(progress.acknowledgedUs, changed.acknowledgedUs);
  progress.nextLast = Math.max(progress.nextLast, changed.nextLast);
  const { inFlight, givenUp } = state;
  for (const entry of readEntries(source)) inFlight.set(entry.sequence, entry);
  for (const sequence of source.doubles()) {
    inFlight.delete(sequence);
    givenUp.add(sequence);
  }
  for (const sequence of source.doubles()) {
    inFlight.delete(sequence);
    givenUp.delete(sequence);
  }
}

function writeProgress(target: PieceWriter, progress: Progress): void {
  const { next, deliveries, ackFloor, deliveredUs, acknowledgedUs, nextLast } = progress;
  for (const value of [next, deliveries, ackFloor.sequence, ackFloor.delivery, deliveredUs, acknowledgedUs, nextLast])
    target.number(value);
}

function readProgress(source: PieceReader): Progress {
  const [next, deliveries] = [source.number(), source.number()];
  const ackFloor = { sequence: source.number(), delivery: source.number() };
  const [deliveredUs, acknowledgedUs, nextLast] = [source.number(), source.number(), source.number()];
  return { next, deliveries, ackFloor, deliveredUs, acknowledgedUs, nextLast };
}

function entriesOf(entries: Iterable<KeptDelivery>): Float64Array {
  const numbers = new NumberList();
  for (const entry of entries) addEntry(numbers, entry, entry.dueMs);
  return numbers.values;
}

/** Lays a message in flight out. @param dueMs since 1970, as in what is kept */
export function addEntry(numbers: NumberList, entry: Omit<KeptDelivery, 'dueMs'>, dueMs: number): void {
  numbers.add(entry.sequence);
  numbers.add(entry.firstDelivery);
  numbers.add(entry.lastDelivery);
  numbers.add(entry.deliveries);
  numbers.add(dueMs);
}

function readEntries(source: PieceReader): KeptDelivery[] {
  const numbers = source.doubles();
  const entries: KeptDelivery[] = [];
  for (let i = 0; i < numbers.length; i += numbersAnEntry) {
    const [sequence, firstDelivery, lastDelivery, deliveries, dueMs] = numbers.subarray(i, i + numbersAnEntry);
    entries.push({ sequence, firstDelivery, lastDelivery, deliveries, dueMs });
  }
  return entries;
}
