import { count, formatSize } from '../figures.js';

/** How a check ends, as monitoring plugins do, and the code to end the process with. */
export const STATES = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;

export type State = keyof typeof STATES;

/** From where on a value is a warning, and critical. The bound itself is still allowed. */
export interface Levels {
  readonly warning?: number;
  readonly critical?: number;
}

/** One value of what is checked. */
export interface Measure {
  /** What it is called where it is recorded. */
  readonly label: string;
  readonly value: number;
  /** Seconds, bytes, or a number of something. */
  readonly unit: 's' | 'B' | '';
  /** The value in words. */
  readonly said: string;
  readonly atLeast?: Levels | undefined;
  readonly atMost?: Levels | undefined;
}

export interface Verdict {
  readonly state: State;
  readonly text: string;
  readonly measures: readonly Measure[];
}

/** The worst of all values decides; then only those that are not as they should be are said. */
export function judge(measures: readonly Measure[]): Verdict {
  const judged = measures.map((measure) => ({ measure, state: stateOf(measure) }));
  const wrong = judged.filter(({ state }) => state !== 'OK');
  const state = wrong.some((each) => each.state === 'CRITICAL') ? 'CRITICAL' : wrong.length > 0 ? 'WARNING' : 'OK';
  const texts =
    wrong.length === 0 ? measures.map(({ said }) => said) : wrong.map((each) => complaint(each.measure, each.state));
  return { state, text: texts.join(', '), measures };
}

/** The one line a check prints: state, what was checked, text, and values for whoever records them. */
export function lineOf(about: string, { state, text, measures }: Verdict): string {
  const values = measures.length === 0 ? '' : ` | ${measures.map(recorded).join(' ')}`;
  return `${state} ${plain(about)}: ${plain(text)}${values}\n`;
}

/** Seconds in words. */
export function formatSeconds(seconds: number): string {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const)
    if (seconds >= size) return `${Number((seconds / size).toPrecision(3))} ${unit}`;
  return `${Number((seconds * 1000).toPrecision(3))} ms`;
}

function stateOf({ value, atLeast = {}, atMost = {} }: Measure): State {
  const isBeyond = (low: number | undefined, high: number | undefined) =>
    value < (low ?? -Infinity) || value > (high ?? Infinity);
  if (isBeyond(atLeast.critical, atMost.critical)) return 'CRITICAL';
  return isBeyond(atLeast.warning, atMost.warning) ? 'WARNING' : 'OK';
}

function complaint({ said, value, unit, atLeast, atMost }: Measure, state: State): string {
  const level = state === 'CRITICAL' ? 'critical' : 'warning';
  const low = atLeast?.[level];
  if (low !== undefined && value < low) return `${said} (fewer than ${formatBound(low, unit)})`;
  return `${said} (more than ${formatBound(atMost![level]!, unit)})`;
}

function formatBound(bound: number, unit: Measure['unit']): string {
  if (unit === 's') return formatSeconds(bound);
  return unit === 'B' ? formatSize(bound) : count(bound);
}

/** As plugins write values: `label=value;warning;critical;least`. */
function recorded({ label, value, unit, atLeast, atMost }: Measure): string {
  const shown = unit === 's' ? Number(value.toFixed(6)) : value;
  return `${label}=${shown}${unit};${range(atLeast?.warning, atMost?.warning)};${range(atLeast?.critical, atMost?.critical)};0`;
}

/** What is allowed: `10` is from 0 to 10, `5:` from 5 on. */
function range(low: number | undefined, high: number | undefined): string {
  return `${low === undefined ? '' : `${low}:`}${high ?? ''}`;
}

/** Values begin behind a bar, and there is one line. */
function plain(text: string): string {
  return text.replace(/[|\s]+/g, ' ').trim();
}
