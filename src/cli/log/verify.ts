import { jsonLine } from '../messageFormat.js';
import { findingsOf, nameOf, sumOf, sumText } from './report.js';
import { type LogOptions, withInspection } from './session.js';

/** Says what of a data directory is damaged, and what there is. */
export async function verify(directory: string, options: LogOptions): Promise<void> {
  const isJson = options.json === true;
  await withInspection(directory, options, (inspection, output, consumers) => {
    output.push(findingsOf(inspection, isJson));
    if (!isJson) {
      output.push(sumText(sumOf(inspection, consumers)));
      return;
    }
    for (const stream of inspection.streams) {
      const { firstSequence, nextSequence, live } = inspection.storageOf(stream);
      const range = { first: firstSequence, last: nextSequence - 1 };
      const has = { messages: live, consumers: consumers.filter((each) => each.stream === stream.number).length };
      output.push(jsonLine({ type: 'stream', stream: nameOf(stream), ...range, ...has }));
    }
    output.push(jsonLine({ type: 'sum', ...sumOf(inspection, consumers) }));
  });
}
