import { isatty } from 'node:tty';
import { timeText } from '../../base/timeText.js';
import type { StoredConsumer } from '../../broker/dataInspection.js';
import type { InspectedStream, Inspection } from '../../log/inspection.js';
import type { RecordView } from '../../log/storage.js';
import { readRecord } from '../../log/streamCopy.js';
import { CliError, EXIT } from '../exit.js';
import { formatMessage, headersIn, jsonLine, messageStyle, toJson, withoutControls } from '../messageFormat.js';
import type { Output } from '../output.js';
import { findingsOf, nameOf } from './report.js';
import { type LogOptions, withInspection } from './session.js';

interface DumpOptions extends LogOptions {
  readonly stream?: string;
  readonly from: number;
  readonly limit?: number;
  readonly payload?: boolean;
  readonly consumers?: boolean;
}

/** So many messages are printed before it is waited for who reads them. */
const batchMessages = 256;

/** Prints the messages that are on disk, or what is kept of consumers, stream by stream. What is damaged is told on standard error. */
export async function dump(directory: string, options: DumpOptions): Promise<void> {
  await withInspection(directory, options, async (inspection, output, consumers) => {
    process.stderr.write(findingsOf(inspection, options.json === true));
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    for (const stream of wanted(inspection, options.stream)) {
      if (options.consumers) {
        const own = consumers.filter((consumer) => consumer.stream === stream.number);
        output.push(...own.map((consumer) => consumerLine(nameOf(stream), consumer, options)));
        continue;
      }
      left -= await dumpStream(inspection, stream, left, options, output);
    }
  });
}

/** @throws CliError when there is no stream of that name */
function wanted({ streams }: Inspection, name: string | undefined): readonly InspectedStream[] {
  const found = name === undefined ? streams : streams.filter((stream) => nameOf(stream) === name);
  if (found.length === 0 && name !== undefined) throw new CliError(`there is no stream ${name}`, EXIT.usage);
  return found;
}

/** Resolves with how many messages were printed, of at most so many. */
async function dumpStream(
  inspection: Inspection,
  stream: InspectedStream,
  most: number,
  options: DumpOptions,
  output: Output,
): Promise<number> {
  const storage = inspection.storageOf(stream);
  const name = nameOf(stream);
  let printed = 0;
  const print = (record: RecordView) =>
    output.push(...(options.json ? [lineJson(name, record, options)] : lineText(name, record, options)));
  for (
    let at = storage.nextThere(Math.max(options.from, storage.firstSequence));
    at < storage.nextSequence && printed < most;
    at = storage.nextThere(at + 1)
  ) {
    const failure = await readRecord(storage, at, print);
    if (failure !== null) throw new CliError(failure);
    if (++printed % batchMessages === 0 && !(await output.written())) break;
  }
  return printed;
}

function consumerLine(stream: string, consumer: StoredConsumer, { json }: DumpOptions): string {
  const { stream: _, config, ...kept } = consumer;
  if (json) return jsonLine({ stream, ...kept, config: JSON.parse(config) });
  const { name, next, deliveries, ackFloor, inFlight, givenUp } = kept;
  const gone = givenUp > 0 ? `, ${givenUp} given up` : '';
  const line = `${stream}/${name} ${deliveries} delivered, acknowledged up to #${ackFloor}, next #${next}, ${inFlight} in flight${gone}\n`;
  return isatty(1) ? withoutControls(line) : line;
}

function lineText(stream: string, record: RecordView, { payload }: DumpOptions): readonly (string | Uint8Array)[] {
  const message = printable(record);
  const { headerBytes, start, end } = record;
  const { sequence, time } = message.stored;
  const sizes = `${headerBytes > 0 ? `${headerBytes}+` : ''}${end - start - headerBytes} B`;
  const line = `${stream} #${sequence} ${time} ${message.subject} ${sizes}\n`;
  const shown = isatty(1) ? withoutControls(line) : line;
  return payload ? [shown, ...formatMessage(message, messageStyle({ headers: true }, false))] : [shown];
}

function lineJson(stream: string, record: RecordView, { payload }: DumpOptions): string {
  const { headerBytes, start, end } = record;
  const { subject, sequence, time, ...content } = toJson(printable(record));
  const sizes = { headerBytes, payloadBytes: end - start - headerBytes };
  return jsonLine({ stream, sequence, time, subject, ...sizes, ...(payload ? content : {}) });
}

function printable({ sequence, timeUs, span, subjectStart, subjectEnd, start, headerBytes, end }: RecordView) {
  const payloadStart = start + headerBytes;
  const message = {
    subject: Buffer.from(span.bytes.subarray(subjectStart, subjectEnd)).toString(),
    stored: { sequence, time: timeText(timeUs) },
    data: span.bytes.slice(payloadStart, end),
  };
  if (headerBytes === 0) return message;
  return { ...message, headers: headersIn(span.bytes, start, payloadStart) };
}
