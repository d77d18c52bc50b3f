/** What the process has used of processors since it was last asked, but for what it was asked within a second; in percent of one of them. */
let last = { atMs: 0, usedUs: 0 };
let percent = 0;

export function cpuPercent(): number {
  const { user, system } = process.cpuUsage();
  const usedUs = user + system;
  const atMs = performance.now() + performance.timeOrigin;
  if (atMs - last.atMs >= 1_000) {
    // since its start, the first time
    const sinceMs = last.atMs === 0 ? process.uptime() * 1000 : atMs - last.atMs;
    percent = Math.round((usedUs - last.usedUs) / sinceMs / 1) / 10;
    last = { atMs, usedUs };
  }
  return percent;
}
