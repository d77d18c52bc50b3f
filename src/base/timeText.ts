/** Microseconds since 1970 as RFC 3339 has them, without trailing zeros. */
export function timeText(timeUs: number): string {
  const seconds = Math.floor(timeUs / 1e6);
  const fraction = `${timeUs - seconds * 1e6}`.padStart(6, '0').replace(/0+$/, '');
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === '' ? '' : '.'}${fraction}Z`;
}

/** A time of this thread's clock (`performance.now()`) in microseconds since 1970. */
export function microsecondsAt(nowMs: number): number {
  return Math.round((performance.timeOrigin + nowMs) * 1000);
}

/** Now, to the microsecond. */
export function nowText(): string {
  return timeText(microsecondsAt(performance.now()));
}

/** The same read back. */
export function microsecondsOf(text: string): number {
  const fraction = /\.(\d+)Z$/.exec(text)?.[1] ?? '';
  return Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Number(fraction.padEnd(6, '0'));
}
