import { setTimeout as sleep } from 'node:timers/promises';
import { onInterrupt } from '../interrupt.js';
import { Output } from '../output.js';
import { type AskOptions, MonitoringPort } from './polling.js';
import { describeServer, frame } from './view.js';

export interface TopOptions extends AskOptions {
  readonly count?: number;
  readonly delay: number;
  readonly once?: boolean;
}

/**
 * Shows what a server does until it is interrupted, or so many times. On a terminal a look takes the place of the one before.
 *
 * @throws CliError when the server cannot be asked
 */
export async function top(url: string, options: TopOptions): Promise<void> {
  const port = new MonitoringPort(url, options);
  const stop = new AbortController();
  const output = new Output();
  void output.broken.then(() => stop.abort());
  onInterrupt(() => stop.abort());
  const looks = options.once ? 1 : (options.count ?? Infinity);
  const isTerminal = process.stdout.isTTY === true && !options.once;
  try {
    if (isTerminal) output.push('\x1b[2J');
    let before = await port.sample(stop.signal);
    for (let n = 0; n < looks; n++) {
      await sleep(options.delay, undefined, { signal: stop.signal });
      const now = await port.sample(stop.signal);
      const text = describeServer(before, now, isTerminal);
      if (isTerminal) output.push(frame(text, process.stdout.columns || 80, process.stdout.rows || 24));
      else output.push(n === 0 ? text : `\n${text}`);
      // nothing gathers while the reader is slower
      await output.written();
      before = now;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await output.end();
  }
}
