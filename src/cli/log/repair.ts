import { checkRepairTarget, repairData } from '../../broker/dataInspection.js';
import type { CopiedStream } from '../../log/repair.js';
import { CliError, EXIT } from '../exit.js';
import { plural } from '../figures.js';
import { jsonLine } from '../messageFormat.js';
import type { Output } from '../output.js';
import { findingsOf, unknownName } from './report.js';
import { type LogOptions, orUnreadable, withInspection } from './session.js';

/** Copies all that can be read into a new data directory, and says what was left out. */
export async function repair(directory: string, options: LogOptions & { readonly to: string }): Promise<void> {
  const isJson = options.json === true;
  orUnreadable(() => checkRepairTarget(directory, options.to));
  await withInspection(directory, options, async (inspection, output) => {
    output.push(findingsOf(inspection, isJson));
    const copied: CopiedStream[] = [];
    try {
      await repairData(inspection, options.to, (stream) => copied.push(stream));
    } catch (error) {
      throw new CliError(`nothing was repaired: ${(error as Error).message}`, EXIT.usage, { cause: error });
    }
    for (const stream of copied) tell(output, stream, isJson);
    const messages = copied.reduce((sum, stream) => sum + stream.messages, 0);
    if (isJson) output.push(jsonLine({ type: 'sum', to: options.to, streams: copied.length, messages }));
    else
      output.push(`${plural(copied.length, 'stream')} with ${plural(messages, 'message')} copied to ${options.to}\n`);
  });
}

/** What of a stream is not as it was. */
function tell(output: Output, copied: CopiedStream, isJson: boolean): void {
  const { number, name, isRenamed, messages, unreadable } = copied;
  if (unreadable.length > 0) process.exitCode = EXIT.failure;
  if (isJson) {
    output.push(jsonLine({ type: 'stream', stream: name, isRenamed, messages, unreadable }));
    return;
  }
  if (isRenamed) output.push(`stream ${unknownName(number)} is now ${name}: say what its subjects are\n`);
  for (const reason of unreadable) output.push(`left out: ${reason}\n`);
}
