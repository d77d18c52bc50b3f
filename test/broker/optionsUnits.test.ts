import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from '../../src/options/units.js';

describe('a size', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['1k', 1000],
    ['1kb', 1024],
    ['64KB', 65_536],
    ['64KiB', 65_536],
    ['1m', 1_000_000],
    ['64MB', 67_108_864],
    ['1MiB', 1_048_576],
    ['1.5 GiB', 1_610_612_736],
    [' 2b ', 2],
  ])('%j', (text, value) => {
    expect(parseBytes(text)).toBe(value);
  });

  it.each(['', '-1', '1.5', '1e3', 'MB', '1xb', '1 2', '0x10', '99999999999TB', 'NaN'])('not %j', (text) => {
    expect(parseBytes(text)).toBe(null);
  });

  it('is written so that it reads back as itself', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseBytes(formatBytes(bytes)) === bytes));
  });
});

describe('a duration', () => {
  it.each([
    ['2', 2000],
    ['0.5', 500],
    ['0', 0],
    ['500ms', 500],
    ['2s', 2000],
    ['1.1s', 1100],
    ['2m', 120_000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['1us', 1],
    ['0.001', 1],
  ])('%j', (text, value) => {
    expect(parseDurationMs(text)).toBe(value);
  });

  it.each(['', '-1s', 's', '1 s', '1d', '1s2', '1e3', 'soon'])('not %j', (text) => {
    expect(parseDurationMs(text)).toBe(null);
  });

  it('is written so that it reads back as itself', () => {
    fc.assert(fc.property(fc.nat(), (ms) => parseDurationMs(formatDurationMs(ms)) === ms));
  });
});
