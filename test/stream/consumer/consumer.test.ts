import fc from 'fast-check';
import { expect, test } from 'vitest';
import { publishedSubject } from '../../../src/base/publishedSubject.js';
import { MemoryStorage } from '../../../src/log/memoryStorage.js';
import type { RecordRun } from '../../../src/log/storage.js';
import { Decoding } from '../../../src/stream/api/decoding.js';
import { parseJson } from '../../../src/stream/api/json.js';
import { Consumer, type ConsumerEvents } from '../../../src/stream/consumer/consumer.js';
import {
  applyChange,
  type ConsumerState,
  readState,
  writeChange,
  writeState,
} from '../../../src/stream/consumer/consumerState.js';
import { Delivering, type Delivery, type Offered } from '../../../src/stream/consumer/delivering.js';
import { type ConsumerConfig, readConsumerConfig } from '../../../src/stream/consumerConfig.js';
import { effectiveConsumer } from '../../../src/stream/consumerRules.js';
import { Stream } from '../../../src/stream/stream.js';
import { SubjectFilter } from '../../../src/stream/subjectFilter.js';
import { ampleMemory, configOf, finish, messageOf } from '../streams.js';

// Invariant 52 of docs/INVARIANTS.md.

const subjects = ['a.1', 'a.2', 'b.1', 'b.2.x'];
const filters = [[], ['a.1'], ['a.*'], ['b.>'], ['a.1', 'b.>'], ['none']];
const ackWaitMs = 1000;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), subject: fc.constantFrom(...subjects) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ack' as const), which: fc.nat(50) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('nak' as const), which: fc.nat(50), delayMs: fc.option(fc.nat(500)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prolong' as const), which: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeBack' as const), which: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(2 * ackWaitMs) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), back: fc.nat(10) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('purge' as const), filter: fc.constantFrom('>', 'a.*', 'b.1') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('filter' as const), filters: fc.constantFrom(...filters) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('note' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

const given = fc.record({
  ack_policy: fc.constantFrom('explicit', 'explicit', 'all', 'none'),
  filters: fc.constantFrom(...filters),
  max_ack_pending: fc.constantFrom(0, 1, 3),
  max_deliver: fc.constantFrom(-1, 1, 2),
  withLasts: fc.boolean(),
});

function configFor(fields: object, stream: Stream): ConsumerConfig {
  const decoding = new Decoding('ConsumerConfig');
  const [parsed = null] = [...parseJson(JSON.stringify(fields))];
  const config = readConsumerConfig(parsed, decoding);
  expect(decoding.error).toBeNull();
  return effectiveConsumer({ stream: stream.name, config, action: '', pedantic: false }, stream.config);
}

/** A consumer on a stream, and all that is known of it from what it delivers. */
class Trial implements ConsumerEvents {
  readonly stream = new Stream(configOf({ subjects: ['>'] }), 0, new MemoryStorage(1), ampleMemory());
  consumer: Consumer;
  nowMs = 1;
  /** How often each message was delivered, that did count, and its last delivery. */
  readonly counts = new Map<number, number>();
  readonly lastDeliveries = new Map<number, number>();
  readonly settled = new Set<number>();
  readonly givenUp = new Set<number>();
  /** What was delivered and is neither acknowledged, nor given up, nor gone. */
  readonly open = new Set<number>();
  /** When each is due at the earliest. */
  readonly due = new Map<number, number>();
  deliveries = 0;
  #uncounted = new Set<number>();
  /** What was noted of the consumer. */
  #noted: ConsumerState;

  constructor(fields: { readonly withLasts: boolean } & Record<string, unknown>) {
    for (const subject of ['a.1', 'b.1', 'a.1', 'a.2']) this.publish(subject);
    const { filters: chosen, withLasts, ack_policy, ...rest } = fields;
    const acks = ack_policy !== 'none';
    const config = configFor(
      {
        durable_name: 'C',
        ack_policy,
        filter_subjects: chosen,
        ...(acks ? { ...rest, ack_wait: ackWaitMs * 1e6 } : {}),
        deliver_policy: withLasts && (chosen as string[]).length > 0 ? 'last_per_subject' : 'all',
      },
      this.stream,
    );
    const lasts = config.deliver_policy === 'last_per_subject' ? this.#lastsOf(chosen as string[]) : null;
    this.consumer = this.#consumer(config, lasts?.[0] ?? 1, lasts);
    this.stream.consumers.add(this.consumer);
    this.consumer.keepChanges();
    this.#noted = readState(writeState(this.consumer.state));
  }

  #lastsOf(chosen: readonly string[]): number[] {
    const lasts = chosen.flatMap((filter) => finish(this.stream.search.lastsOf(new SubjectFilter(filter))));
    return lasts.sort((one, other) => one - other);
  }

  #consumer(config: ConsumerConfig, next: number, lasts: readonly number[] | null): Consumer {
    const clock = { nowUs: () => this.nowMs * 1000, notBefore: () => {} };
    return new Consumer(config, 'C', 0, this.stream, next, lasts, () => this.nowMs, clock, this);
  }

  onSettled(sequence: number): void {
    this.settled.add(sequence);
    this.open.delete(sequence);
  }

  onGivenUp(sequence: number, deliveries: number): void {
    expect(BigInt(deliveries)).toBe(this.consumer.config.max_deliver);
    this.givenUp.add(sequence);
    this.open.delete(sequence);
  }

  onLost(sequence: number): void {
    this.open.delete(sequence);
  }

  publish(subject: string): void {
    this.stream.publish(publishedSubject(subject), messageOf({}, 'hello'), 0, this.nowMs * 1000);
  }

  /** What is left for it: by looking at all that there is. */
  get left(): number[] {
    const taken = this.consumer.config.filter_subjects.map((filter) => new SubjectFilter(filter));
    const found: number[] = [];
    const { lasts, from } = this.consumer.upcoming;
    for (let sequence = from; sequence <= this.stream.lastSequence; sequence++) {
      if (!this.stream.has(sequence)) continue;
      const subject = this.stream.subjectOf(sequence);
      if (taken.length === 0 || taken.some((filter) => filter.takes(subject))) found.push(sequence);
    }
    return [...lasts, ...found];
  }

  deliver(count: number): void {
    let left = count;
    finish(
      new Delivering(this.consumer).deliver({
        get isReady() {
          return left > 0;
        },
        offer: (delivery: Delivery): Offered => {
          left--;
          this.#onDelivery(delivery);
          return 'sent';
        },
        // none, or some of those that come together
        offerRun: (records: RecordRun, max: number, _: number, sequence: number, pending: number): number => {
          const taken = Math.min(max, left, sequence % 4);
          for (let i = 0; i < taken; i++) {
            const delivery = { record: records.view(i), count: 1, sequence: sequence + i, pending: pending - i };
            this.#onDelivery(delivery, i);
          }
          left -= taken;
          return taken;
        },
        flush: () => {},
      }),
    );
    expect(this.consumer.delivered.delivery).toBe(this.deliveries);
  }

  /** @param ahead how many were delivered that the consumer does not know of yet */
  #onDelivery({ record, count, sequence, pending }: Delivery, ahead = 0): void {
    const { consumer, stream } = this;
    const { config } = consumer;
    expect(sequence).toBe(++this.deliveries);
    expect(stream.has(record.sequence)).toBe(true);
    const before = this.counts.get(record.sequence) ?? 0;
    const isCounted = !this.#uncounted.delete(record.sequence);
    if (before === 0) {
      // the next one of those that are left, and in order
      expect(record.sequence).toBe(this.left[ahead]);
      expect(pending).toBe(this.left.length - 1 - ahead);
      expect(count).toBe(1);
    } else {
      expect(this.open.has(record.sequence)).toBe(true);
      expect(this.due.get(record.sequence)).toBeLessThanOrEqual(this.nowMs);
      expect(count).toBe(isCounted ? before + 1 : before);
      expect(pending).toBe(this.left.length);
    }
    if (config.max_deliver > 0n) expect(BigInt(count)).toBeLessThanOrEqual(config.max_deliver);
    expect(this.settled.has(record.sequence) && consumer.acks).toBe(false);
    this.counts.set(record.sequence, count);
    this.lastDeliveries.set(record.sequence, sequence);
    if (!consumer.acks) return;
    this.open.add(record.sequence);
    this.due.set(record.sequence, this.nowMs + ackWaitMs);
    if (config.max_ack_pending > 0n) expect(this.open.size).toBeLessThanOrEqual(Number(config.max_ack_pending));
  }

  pick(which: number): number {
    const all = [...this.counts.keys()];
    return all[which % Math.max(1, all.length)] ?? 0;
  }

  refuse(sequence: number, delayMs: number | null): void {
    if (this.consumer.refuse(sequence, this.lastDeliveries.get(sequence) ?? 0, delayMs))
      this.due.set(sequence, this.nowMs + (delayMs ?? 0));
  }

  /** A consumer that becomes another one is noted as a whole. */
  filterBy(filters: readonly string[]): void {
    this.consumer.update({ ...this.consumer.config, filter_subjects: filters });
    this.consumer.takeChange();
    this.#noted = readState(writeState(this.consumer.state));
  }

  wait(ms: number): void {
    this.nowMs += ms;
    this.consumer.expire(this.nowMs);
  }

  purge(filter: string): void {
    const { purges, storage } = this.stream;
    finish(purges.carryOut(purges.subjects(filter, storage.nextSequence)));
    for (const sequence of this.open) if (!this.stream.has(sequence)) this.open.delete(sequence);
  }

  takeBack(sequence: number): void {
    if (!this.open.has(sequence)) return;
    const delivery = this.lastDeliveries.get(sequence) as number;
    this.consumer.takeBack(delivery);
    this.due.set(sequence, this.nowMs);
    if (this.counts.get(sequence) === 1) this.#uncounted.add(sequence);
    else this.counts.set(sequence, (this.counts.get(sequence) as number) - 1);
  }

  note(): void {
    applyChange(this.#noted, writeChange(this.consumer.takeChange()));
  }

  /** What was noted is all that there is: a new consumer goes on. */
  restart(): void {
    this.note();
    expect(shape(this.#noted, this.stream)).toEqual(shape(this.consumer.state, this.stream));
    const { config, progress, lasts } = this.#noted;
    this.stream.consumers.remove(this.consumer);
    this.consumer = this.#consumer(
      config,
      progress.next,
      lasts.filter((sequence) => sequence >= progress.nextLast && this.stream.has(sequence)),
    );
    this.consumer.resume(this.#noted);
    this.stream.consumers.add(this.consumer);
    this.consumer.keepChanges();
    finish(this.consumer.upcoming.recount());
    this.#noted = readState(writeState(this.consumer.state));
    // what did not count is forgotten with a crash: it counts then
    for (const sequence of this.#uncounted) this.counts.set(sequence, 1);
    this.#uncounted.clear();
  }

  check(): void {
    const { consumer } = this;
    finish(consumer.upcoming.recount());
    expect(consumer.upcoming.count).toBe(this.left.length);
    expect(consumer.inFlight.sequences).toEqual(consumer.acks ? [...this.open].sort((one, two) => one - two) : []);
    for (const sequence of this.open) expect(sequence).toBeGreaterThan(consumer.ackFloor.sequence);
    expect(consumer.ackFloor.delivery).toBeLessThanOrEqual(consumer.delivered.delivery);
    expect(consumer.ackFloor.sequence).toBeLessThanOrEqual(
      Math.max(consumer.delivered.sequence, this.stream.lastSequence),
    );
  }
}

/** What of a state is the same behind a start. */
function shape({ progress, inFlight, givenUp, lasts }: ConsumerState, stream: Stream): object {
  const entries = [...inFlight].sort(([one], [other]) => one - other).map(([, { dueMs, ...entry }]) => entry);
  const left = lasts.filter((sequence) => sequence >= progress.nextLast && stream.has(sequence));
  return { ...progress, entries, givenUp: [...givenUp].sort((one, other) => one - other), left };
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function run(trial: Trial, each: Step): void {
  const { consumer, stream } = trial;
  const sequence = 'which' in each ? trial.pick(each.which) : 0;
  if (each.kind === 'publish') trial.publish(each.subject);
  else if (each.kind === 'deliver') trial.deliver(each.count);
  else if (each.kind === 'ack') consumer.acknowledge(sequence, trial.lastDeliveries.get(sequence) ?? 0);
  else if (each.kind === 'nak') trial.refuse(sequence, each.delayMs);
  else if (each.kind === 'prolong') consumer.prolong(sequence);
  else if (each.kind === 'takeBack') trial.takeBack(sequence);
  else if (each.kind === 'wait') trial.wait(each.ms);
  else if (each.kind === 'delete') finish(stream.delete(stream.lastSequence - each.back, false));
  else if (each.kind === 'purge') trial.purge(each.filter);
  else if (each.kind === 'filter') trial.filterBy(each.filters);
  else if (each.kind === 'note') trial.note();
  else trial.restart();
}

test('a consumer delivers each message in order, again when it is due and not before, and counts what is left exactly', () => {
  const numRuns = Number(process.env.STREAM_RUNS ?? 600);
  let redelivered = 0;
  let settled = 0;
  fc.assert(
    fc.property(given, fc.array(step, { maxLength: 80 }), (fields, steps) => {
      const trial = new Trial(fields);
      for (const each of steps) {
        run(trial, each);
        trial.check();
      }
      for (const count of trial.counts.values()) if (count > 1) redelivered++;
      settled += trial.settled.size;
    }),
    { numRuns },
  );
  expect(redelivered).toBeGreaterThan(0);
  expect(settled).toBeGreaterThan(0);
});
