import { msPerUnit } from '../base/durationUnits.js';

/** nats-server's size suffixes: a bare letter is decimal, `kb` and `kib` alike are binary. */
const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1024,
  ki: 1024,
  kib: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  mi: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
  gi: 1024 ** 3,
  gib: 1024 ** 3,
  t: 1000 ** 4,
  tb: 1024 ** 4,
  ti: 1024 ** 4,
  tib: 1024 ** 4,
};

/** Reads a size such as `4096`, `64MB` or `1.5 GiB`. Returns whole bytes, or null when it is not a size. */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim());
  const unit = match && BYTES_PER_UNIT[match[2]!.toLowerCase()];
  if (!match || unit === undefined || unit === null) return null;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/**
 * Reads a duration such as `500ms`, `2s`, `1m30s`, or a plain number, which means seconds as in nats-server's files.
 * Returns milliseconds, rounded up to a whole one, or null when it is not a duration.
 */
export function parseDurationMs(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return roundUpMs(Number(trimmed) * 1000);
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(trimmed)) return null;
  let ms = 0;
  for (const [, number, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    ms += Number(number) * msPerUnit[unit!]!;
  }
  return roundUpMs(ms);
}

/** Up, so that no duration the user wrote becomes zero; to a nanosecond first, so that 1.1 s is not 1,101 ms. */
function roundUpMs(ms: number): number {
  return Math.ceil(Math.round(ms * 1e6) / 1e6);
}

/** Writes a size in the largest binary unit that holds it exactly. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['TiB', 1024 ** 4],
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}`;
}

/** Writes a duration in the largest unit that holds it exactly. */
export function formatDurationMs(ms: number): string {
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
