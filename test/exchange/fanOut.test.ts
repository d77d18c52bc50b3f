import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fanOutTargetsMax } from '../../src/base/limits.js';
import type { MessageView } from '../../src/base/messageView.js';
import { FanOut } from '../../src/exchange/fanOut.js';
import { GatewayProxy } from '../../src/exchange/proxies.js';
import type { BlockRoute, ExchangeTopic } from '../../src/exchange/roles.js';
import { messageOf } from '../gateway/messages.js';
import { LaneModel, message, Names, plain, slot, text } from './laneModel.js';

/** The last one's thread is a user's: it shares nothing. */
const gateways = 10;

/** A thread's lanes to the gateways of others, beside what each of them should bring. */
class FanOutModel {
  readonly lanes: LaneModel[];
  readonly fanOut = new FanOut<ExchangeTopic>();
  readonly #names = new Names();

  /** @param kernel whether the block lies in its memory, and it reads the lanes */
  constructor(capacityBytes: readonly number[], kernel: boolean) {
    const last = capacityBytes.length - 1;
    this.lanes = capacityBytes.map((capacity) => new LaneModel(capacity, kernel, this.#names));
    const proxies = this.lanes.map(({ writer }) => new GatewayProxy<ExchangeTopic>(0, null, writer));
    this.fanOut.list(
      proxies,
      this.lanes.map(({ writer }, gateway) => (gateway === last ? null : writer)),
    );
    if (kernel) this.route([0], 0);
  }

  /** How the kernel passes on messages of a topic. */
  route(to: readonly number[], number: number): BlockRoute | null {
    return this.fanOut.route(to, this.#names.topics[number]!);
  }

  deliver(to: readonly number[], number: number, view: MessageView): void {
    const topic = this.#names.topics[number]!;
    this.fanOut.deliver(to, topic, view);
    for (const gateway of to) for (let i = 0; i < view.count; i++) this.lanes[gateway]!.expect(topic, '', view, i);
  }

  /** What is written only where there is room finds it. */
  lose(gateway: number): void {
    const { writer } = this.lanes[gateway]!;
    if (writer.offerLoss('lost', 1)) expect(writer.lane.clear).toBe(true);
  }

  /** A topic's number is used for another. */
  reuse(number: number, subject: string): void {
    for (const { writer } of this.lanes) writer.forget(this.#names.topics[number]!);
    this.#names.reuse(number, subject);
  }

  publish(): void {
    this.fanOut.flush();
    expect(this.fanOut.empty).toBe(true);
    for (const lane of this.lanes) lane.publish();
  }

  finish(): void {
    this.fanOut.flush();
    for (const lane of this.lanes) lane.finish();
  }
}

const capacity = fc.constantFrom(128, 1024, 4096, 1 << 17);
const lane = fc.nat(gateways - 1);
const someLanes = fc.subarray(Array.from({ length: gateways }, (_, i) => i));
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('feed' as const),
      to: someLanes,
      plain: fc.array(plain, { maxLength: 40 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('scatter' as const),
      plain: fc.array(fc.tuple(someLanes, plain), { maxLength: 60 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deliver' as const), to: someLanes, slot, message }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('one' as const), lane, slot, queue: fc.option(slot), message }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('own' as const), lane, queue: fc.option(slot), plain }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), lane }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reuse' as const), slot, subject: text(200) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read' as const), lane, records: fc.nat(5) }) },
);

test('invariant 4: every gateway gets what is for it, in order, whoever shares it and whatever else its lane is given', () => {
  let received = 0;
  fc.assert(
    fc.property(
      fc.array(capacity, { minLength: gateways, maxLength: gateways }),
      fc.boolean(),
      fc.array(step, { maxLength: 40, size: 'max' }),
      (capacities, kernel, steps) => {
        const model = new FanOutModel(capacities, kernel);
        for (const next of steps) {
          if (next.do === 'feed')
            for (const { slot: number, length } of next.plain)
              model.deliver(next.to, number, messageOf('m'.repeat(length)));
          else if (next.do === 'scatter')
            for (const [to, { slot: number, length }] of next.plain)
              model.deliver(to, number, messageOf('s'.repeat(length)));
          else if (next.do === 'deliver') model.deliver(next.to, next.slot, next.message);
          else if (next.do === 'one') model.lanes[next.lane]!.push(next.slot, next.queue, next.message);
          else if (next.do === 'own')
            model.lanes[next.lane]!.push(next.plain.slot, next.queue, messageOf('o'.repeat(next.plain.length)));
          else if (next.do === 'lose') model.lose(next.lane);
          else if (next.do === 'reuse') model.reuse(next.slot, next.subject);
          else if (next.do === 'read') model.lanes[next.lane]!.read(next.records);
          else model.publish();
        }
        model.finish();
        for (const each of model.lanes) received += each.received;
      },
    ),
    { numRuns: 200 },
  );
  expect(received).toBeGreaterThan(10_000);
});

test.each([null, 1])('what a lane is given by itself stands behind what it shares, to queue group %s', (queue) => {
  const model = new FanOutModel(new Array(gateways).fill(4096), false);
  for (let i = 0; i < 3; i++) {
    model.lanes[0]!.push(1, queue, messageOf(`own ${i}`));
    model.deliver([0, 1], 1, messageOf(`shared ${i}`));
  }
  model.finish();
});

test('what is written only where there is room finds it behind what its lane shares', () => {
  for (let messages = 1; messages < 60; messages++) {
    const model = new FanOutModel(new Array(gateways).fill(1024), false);
    for (let i = 0; i < messages; i++) model.deliver([0, 1], 1, messageOf('m'.repeat(10)));
    model.lose(0);
    model.finish();
  }
});

/** All sets of so many gateways that are not empty. */
function setsOf(count: number): number[][] {
  return Array.from({ length: 2 ** count - 1 }, (_, i) =>
    Array.from({ length: count }, (_, gateway) => gateway).filter((gateway) => ((i + 1) >> gateway) & 1),
  );
}

test('sets of gateways that change from message to message do not void what is known of each other', () => {
  const model = new FanOutModel(new Array(9).fill(1 << 17), true);
  const { version } = model.fanOut;
  const numbers = (): (number | undefined)[] => setsOf(8).map((to) => model.route(to, 1)?.target);
  const first = numbers();
  expect(new Set(first).size).toBe(255);
  expect(numbers()).toEqual(first);
  // there is room for others
  model.fanOut.sweep();
  expect(numbers()).toEqual(first);
  expect(model.fanOut.version).toBe(version);
});

test('the kernel passes nothing on that threads of users want', () => {
  const model = new FanOutModel(new Array(3).fill(1 << 17), true);
  expect(model.route([0, 1], 1)).not.toBeNull();
  expect(model.route([0, 2], 1)).toBeNull();
  expect(model.route([2], 1)).toBeNull();
});

test('a block whose messages change their gateways by pairs is taken apart by the kernel', () => {
  const model = new FanOutModel(new Array(4).fill(1 << 17), true);
  for (let pair = 0; pair < 40; pair++)
    for (const half of ['first', 'second']) model.deliver([pair % 2, 2], pair % 4, messageOf(`${half} of ${pair}`));
  model.finish();
});

test('sets that there is no number for get what is theirs one by one, until all are numbered anew', () => {
  const count = 13;
  const model = new FanOutModel(new Array(count + 1).fill(1 << 17), true);
  const sets = setsOf(count);
  const last = sets.at(-1)!;
  expect(sets.length).toBeGreaterThan(fanOutTargetsMax);
  for (const [i, to] of sets.entries()) model.deliver(to, i % 4, messageOf(`${i}`));
  expect(model.route(last, 1)).toBeNull();
  const { version } = model.fanOut;
  // what stands in the block is still for those that the numbers stand for
  for (const [i, to] of sets.slice(0, 20).entries()) model.deliver(to, i % 4, messageOf(`before ${i}`));
  model.fanOut.sweep();
  expect(model.route(last, 1)).not.toBeNull();
  expect(model.fanOut.version).toBeGreaterThan(version);
  for (const [i, to] of sets.slice(-100).entries()) model.deliver(to, i % 4, messageOf(`again ${i}`));
  model.finish();
});
