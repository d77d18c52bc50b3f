import fc from 'fast-check';
import { expect, test } from 'vitest';
import { messageOf } from '../gateway/messages.js';
import { LaneModel, message, plain, slot, text, unitsEach } from './laneModel.js';

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('offer' as const), slot, message }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('push' as const), slot, queue: fc.option(slot), message }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('feed' as const), plain: fc.array(plain, { maxLength: 40, size: 'max' }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reuse' as const), slot, subject: text(200) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), records: fc.nat(5), messages: fc.nat(20) }) },
);

test('what may wait does not join a run that waits', () => {
  const lane = new LaneModel(1024);
  while (lane.writer.lane.clear) lane.push(0, null, messageOf('p'.repeat(100)));
  lane.offer(0, messageOf(''));
  lane.finish();
});

test('invariants 4, 25, 36 and 39: what a lane took arrives whole and in order, whatever its size and names, and wherever its reader stops', () => {
  const capacity = fc.constantFrom(128, 256, 1024, 4096);
  const byWay = { kernel: 0, javaScript: 0 };
  fc.assert(
    fc.property(capacity, fc.boolean(), fc.array(step, { maxLength: 60 }), (capacityBytes, kernel, steps) => {
      const lane = new LaneModel(capacityBytes, kernel);
      for (const next of steps) {
        if (next.do === 'offer') lane.offer(next.slot, next.message);
        else if (next.do === 'push') lane.push(next.slot, next.queue, next.message);
        else if (next.do === 'feed')
          for (const { slot: number, length } of next.plain) lane.push(number, null, messageOf('m'.repeat(length)));
        else if (next.do === 'reuse') lane.reuse(next.slot, next.subject);
        else if (next.do === 'read') lane.read(next.records, next.messages * unitsEach);
        else lane.publish();
      }
      lane.finish();
      byWay.kernel += lane.byKernel;
      byWay.javaScript += lane.received - lane.byKernel;
    }),
    { numRuns: 300 },
  );
  expect(Math.min(byWay.kernel, byWay.javaScript)).toBeGreaterThan(300);
});
