import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { byteText } from '../base/bytes.js';
import { systemDisk } from '../log/files.js';
import { type Finding, Inspection } from '../log/inspection.js';
import { journalShape } from '../log/journalShape.js';
import { type CopiedStream, refuseUsed, repair } from '../log/repair.js';
import { shardOfStream } from '../shard/streams/streamShard.js';
import { writeJson } from '../stream/api/json.js';
import { effectiveConfig } from '../stream/configRules.js';
import type { ConsumerState } from '../stream/consumer/consumerState.js';
import { KeptConsumers } from '../stream/consumer/keptConsumers.js';
import { consumerJson } from '../stream/consumerConfig.js';
import { readDescription, writeDescription } from '../stream/streamDescription.js';

const setting = { disk: systemDisk, shape: journalShape, shardOf: shardOfStream, randomBytes };

/**
 * Takes the directory of a broker's streams to look at it; nothing in it is changed.
 *
 * @param journalDir where its journals are, when they were moved; null for where it says
 * @throws Error whose text is for the user: it is none, a broker has it, it is of another version, or what the disk says
 */
export function inspectData(path: string, journalDir: string | null): Inspection {
  const journalPath = journalDir === null ? null : resolve(journalDir);
  return Inspection.open({ ...setting, path: resolve(path), journalPath });
}

/** @throws Error when a repair of one directory cannot be at another: said before all is read */
export function checkRepairTarget(from: string, to: string): void {
  const target = resolve(to);
  if (`${target}/`.startsWith(`${resolve(from)}/`))
    throw new Error(`${target} lies in what is repaired, which stays as it is`);
  refuseUsed(systemDisk, target);
}

/**
 * Copies all that an inspection has read into a new data directory.
 *
 * @param onCopied called for each stream
 * @throws rejects with a text for the user: something is there already, or what the disk says
 */
export function repairData(
  inspection: Inspection,
  to: string,
  onCopied: (copied: CopiedStream) => void,
): Promise<void> {
  return repair(inspection, { ...setting, path: resolve(to), onCopied, nameLost });
}

/** A consumer as it is on disk. */
export interface StoredConsumer {
  /** Number of its stream. */
  readonly stream: number;
  readonly name: string;
  /** In JSON, as clients are told. */
  readonly config: string;
  /** The message that it looks at next. */
  readonly next: number;
  /** How many times it has delivered one. */
  readonly deliveries: number;
  /** All messages up to it are acknowledged. */
  readonly ackFloor: number;
  readonly inFlight: number;
  /** Messages that were delivered as often as they may be. */
  readonly givenUp: number;
}

/**
 * Reads what is kept of consumers, which is a journal's last word on them. What cannot be read of one is found damaged.
 *
 * @throws what the disk says when it cannot be read
 */
export function readConsumers(inspection: Inspection): StoredConsumer[] {
  const kept = new Map<number, KeptConsumers>();
  inspection.readNotes(({ number }, key, kind, bytes) => {
    const consumers = kept.get(number) ?? new KeptConsumers();
    kept.set(number, consumers);
    try {
      consumers.noted(key, kind, bytes);
    } catch (error) {
      consumers.noted(key, 'end', bytes);
      inspection.findings.push(unreadable(inspection, number, error as Error));
    }
  });
  return [...kept].flatMap(([number, consumers]) =>
    [...consumers.take().values()].map((state) => storedConsumer(number, state)),
  );
}

function unreadable({ place, streams }: Inspection, number: number, { message }: Error): Finding {
  const name = streams.find((stream) => stream.number === number)?.name ?? 'a stream whose name is damaged';
  const text = `what is kept of a consumer of ${name} cannot be read: ${message}`;
  return { file: place.journals, offset: 0, bytes: 0, text, lost: [] };
}

function storedConsumer(stream: number, { name, config, progress, inFlight, givenUp }: ConsumerState): StoredConsumer {
  return {
    stream,
    name,
    config: byteText(writeJson(consumerJson(config, null))),
    next: progress.next,
    deliveries: progress.deliveries,
    ackFloor: progress.ackFloor.sequence,
    inFlight: inFlight.size,
    givenUp: givenUp.size,
  };
}

/** A stream whose name and configuration are not known any more keeps its messages; its only subject is its new name. */
function nameLost(number: number): { name: string; description: string } {
  const name = `RECOVERED_${number.toString(16)}`;
  const asked = { name, description: 'its name and its configuration were damaged', allow_direct: true };
  const { config } = readDescription(JSON.stringify({ created_us: 0, config: asked }));
  const createdUs = Date.now() * 1000;
  return {
    name,
    description: writeDescription({
      config: effectiveConfig({ config, pedantic: false, unsupported: [] }),
      createdUs,
      purge: null,
    }),
  };
}
