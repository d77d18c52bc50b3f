/** A time in milliseconds since 1970 as answers have it. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

const units = [
  ['y', 365 * 24 * 3600],
  ['d', 24 * 3600],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** How long something has lasted, in whole seconds, from its largest unit that is not 0 on: `1h0m5s`. */
export function ageText(ms: number): string {
  let seconds = Math.max(0, Math.floor(ms / 1000));
  let text = '';
  for (const [unit, length] of units) {
    const count = Math.floor(seconds / length);
    seconds -= count * length;
    if (text !== '' || count > 0 || unit === 's') text += `${count}${unit}`;
  }
  return text;
}

/** A short duration as Go prints one: `1.5ms`, `250µs`. */
export function durationText(ms: number): string {
  const us = Math.round(ms * 1000);
  if (us === 0) return '0s';
  if (us < 1000) return `${us}µs`;
  return us < 1_000_000 ? `${us / 1000}ms` : `${us / 1_000_000}s`;
}

/** Milliseconds as nanoseconds, in which nats-server tells durations. */
export function nanoseconds(ms: number): number {
  return ms * 1_000_000;
}
