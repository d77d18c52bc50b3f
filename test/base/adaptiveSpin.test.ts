import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdaptiveSpin } from '../../src/base/adaptiveSpin.js';
import { spinTurnsMax, spinWorthMs } from '../../src/base/limits.js';

/** Turns in vain until it wants to sleep. */
function turnsInVain(spin: AdaptiveSpin): number {
  if (spin.turns === 0) return 0;
  for (let turns = 1; ; turns++) if (spin.end(false)) return turns;
}

/** Sleeps and is woken `afterMs` later. */
function sleepFor(spin: AdaptiveSpin, afterMs: number): void {
  spin.sleep(1_000);
  spin.begin(1_000 + afterMs);
}

describe('adaptive spin', () => {
  it('looks for work as many turns as the last sleeps were worth', () => {
    const step = fc.record({ afterMs: fc.constantFrom(0, spinWorthMs / 2, spinWorthMs * 2, 1_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const spin = new AdaptiveSpin();
        let expected = spinTurnsMax;
        for (const { afterMs } of steps) {
          expect(turnsInVain(spin)).toBe(expected);
          sleepFor(spin, afterMs);
          expected =
            afterMs < spinWorthMs ? Math.min(spinTurnsMax, Math.max(1, expected * 2)) : Math.floor(expected / 2);
        }
        expect(spin.turns).toBe(expected);
      }),
    );
  });

  it('begins to count anew when there was work', () => {
    const spin = new AdaptiveSpin();
    for (let i = 1; i < spinTurnsMax; i++) expect(spin.end(false)).toBe(false);
    expect(spin.end(true)).toBe(false);
    expect(turnsInVain(spin)).toBe(spinTurnsMax);
  });

  it('sleeps at once where nothing comes soon', () => {
    const spin = new AdaptiveSpin();
    for (let i = 0; i < 10; i++) sleepFor(spin, 1_000);
    expect(spin.end(true)).toBe(true);
    expect(spin.end(false)).toBe(true);
  });
});
