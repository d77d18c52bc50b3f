import { styleText } from 'node:util';
import { formatDurationMs } from '../options/units.js';
import { nsPerMs } from '../protocol/streamApi/storedReading.js';
import { withoutControls } from './messageFormat.js';

/** What something is called, and what it is. */
export type Row = readonly [label: string, value: string];

/** A thing as people read it: what it is, and a line for each that is to be said of it. */
export function describeRows(title: string, rows: readonly Row[], isTerminal: boolean): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`.trimEnd());
  return shown([heading(title, isTerminal), ...lines], isTerminal);
}

/** A line for each row, below their names. */
export function describeTable(
  names: readonly string[],
  rows: readonly (readonly string[])[],
  isNumber: (column: number) => boolean,
  isTerminal: boolean,
): string {
  const table = [names, ...rows];
  const widths = names.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const [head, ...lines] = table.map((row) =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return shown([heading(head!, isTerminal), ...lines], isTerminal);
}

export function bound(value: number | undefined, format: (value: number) => string): string {
  return value === undefined || value <= 0 ? 'no limit' : format(value);
}

export function formatNs(ns: number): string {
  return formatDurationMs(ns / nsPerMs);
}

function heading(text: string, isTerminal: boolean): string {
  return isTerminal && !process.env.NO_COLOR ? styleText('bold', text, { validateStream: false }) : text;
}

/** Names and descriptions must not be able to command a terminal. */
function shown([first, ...lines]: readonly string[], isTerminal: boolean): string {
  const safe = isTerminal ? lines.map(withoutControls) : lines;
  return `${[first, ...safe].join('\n')}\n`;
}
