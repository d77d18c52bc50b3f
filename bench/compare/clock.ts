/** Nanoseconds of the host's monotonic clock: one time scale for every thread, exact in a double for 104 days of uptime. */
export function nowNs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
}
