import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Alarm } from '../../src/base/alarm.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const dayMs = 86_400_000;

test('rings when it is due, however long that takes, and not before', () => {
  const ring = vi.fn();
  const alarm = new Alarm(ring);
  const now = performance.now();
  alarm.set(now + 100 * dayMs, now);
  vi.advanceTimersByTime(99 * dayMs);
  expect(ring).not.toHaveBeenCalled();
  vi.advanceTimersByTime(dayMs);
  expect(ring).toHaveBeenCalledOnce();
});

test('what is due sooner moves it, what is due later does not', () => {
  const ring = vi.fn();
  const alarm = new Alarm(ring);
  alarm.set(1000, 0);
  alarm.set(500, 0);
  alarm.set(2000, 0);
  vi.advanceTimersByTime(500);
  expect(ring).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(2000);
  expect(ring).toHaveBeenCalledOnce();
});
