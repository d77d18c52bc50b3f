/** Microseconds since 1970 as RFC 3339 has them, without trailing zeros. */
export function timeText(timeUs: number): string {
  const seconds = Math.floor(timeUs / 1e6);
  const fraction = `${timeUs - seconds * 1e6}`.padStart(6, '0').replace(/0+$/, '');
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === '' ? '' : '.'}${fraction}Z`;
}

/** Now, to the microsecond. */
export function nowText(): string {
  return timeText(Math.round((performance.timeOrigin + performance.now()) * 1000));
}
