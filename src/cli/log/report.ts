import { isatty } from 'node:tty';
import type { StoredConsumer } from '../../broker/dataInspection.js';
import type { Finding, InspectedStream, Inspection } from '../../log/inspection.js';
import { formatSize, plural } from '../figures.js';
import { jsonLine, withoutControls } from '../messageFormat.js';

/** A stream's name, or what stands for one that is not known. */
export function nameOf({ name, number }: InspectedStream): string {
  return name ?? unknownName(number);
}

/** As its directory is called. */
export function unknownName(number: number): string {
  return `#${number.toString(16).padStart(12, '0')}`;
}

/** All that is damaged: a line for each place, and for each stream that has lost something there. */
export function findingsOf(inspection: Inspection, isJson: boolean): string {
  const { findings } = inspection;
  if (isJson) return findings.map((finding) => jsonLine(findingJson(inspection, finding))).join('');
  const text = findings.map((finding) => findingText(inspection, finding)).join('');
  return isatty(1) ? withoutControls(text) : text;
}

function findingText(inspection: Inspection, { file, offset, bytes, text, lost }: Finding): string {
  const place = bytes > 0 ? ` at ${offset}, ${plural(bytes, 'byte')}` : '';
  const lines = lost.map(
    ({ stream, first, last }) => `  ${streamName(inspection, stream)}: ${rangeText(first, last)}\n`,
  );
  return [`damaged: ${file}${place}: ${text}\n`, ...lines].join('');
}

function findingJson(inspection: Inspection, { lost, ...finding }: Finding): object {
  const named = lost.map(({ stream, first, last }) => ({ stream: streamName(inspection, stream), first, last }));
  return { type: 'damage', ...finding, lost: named };
}

/** Some of a range may have been removed before. */
function rangeText(first: number, last: number): string {
  return first === last ? `message ${first} is lost` : `what there was of messages ${first} to ${last} is lost`;
}

function streamName({ streams }: Inspection, stream: number): string {
  return nameOf(
    streams.find(({ number }) => number === stream) ?? {
      number: stream,
      name: null,
      description: null,
      buffered: null,
    },
  );
}

/** What there is in all. */
export interface Sum {
  readonly journals: number;
  readonly streams: number;
  readonly messages: number;
  readonly consumers: number;
  readonly blocks: number;
  readonly bytes: number;
  readonly damages: number;
}

export function sumOf(inspection: Inspection, consumers: readonly StoredConsumer[]): Sum {
  const { journals, streams, findings } = inspection;
  const total = <T>(all: readonly T[], of: (each: T) => number) => all.reduce((sum, each) => sum + of(each), 0);
  return {
    journals: journals.filter(({ filesBytes }) => filesBytes > 0).length,
    streams: streams.length,
    messages: total(streams, (stream) => inspection.storageOf(stream).live),
    consumers: consumers.length,
    blocks: total(journals, ({ blocks }) => blocks),
    bytes: total(journals, ({ checkedBytes }) => checkedBytes),
    damages: findings.length,
  };
}

export function sumText({ journals, streams, messages, consumers, blocks, bytes, damages }: Sum): string {
  const has = `${plural(messages, 'message')}${consumers > 0 ? ` and ${plural(consumers, 'consumer')}` : ''}`;
  const what = `${plural(streams, 'stream')} with ${has} in ${plural(journals, 'journal')}`;
  const verdict = damages === 0 ? 'all of it is whole' : `damaged in ${plural(damages, 'place')}`;
  return `${what}, ${formatSize(bytes)} in ${plural(blocks, 'block')} checked: ${verdict}\n`;
}
