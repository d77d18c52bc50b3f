import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MinHeap } from '../../src/base/minHeap.js';

test('a heap gives the least first, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(20), { nil: null })), (steps) => {
      const heap = new MinHeap<number>((item) => item);
      let model: number[] = [];
      for (const step of steps) {
        if (step === null) {
          heap.removeLeast();
          model = model.slice(1);
        } else {
          heap.add(step);
          model = [...model, step].sort((a, b) => a - b);
        }
        expect(heap.least).toBe(model[0]);
      }
    }),
  );
});
