import fc from 'fast-check';
import { askedOf, configOf, type Fields, hourNs, shortNs, some, verbOf } from './configs.js';

export type { Fields };

export type Name = 'A' | 'B' | 'C';

/** What is done to both servers; streams, subjects and times are named as in `Side`. */
export type Step =
  | { readonly kind: 'publish'; readonly token: string }
  | { readonly kind: 'create'; readonly consumer: Name; readonly config: Fields; readonly action: string }
  | { readonly kind: 'listen'; readonly consumer: Name; readonly group: string }
  | { readonly kind: 'leave' | 'delete' | 'unpin'; readonly consumer: Name }
  | { readonly kind: 'reset'; readonly consumer: Name; readonly asked: Fields }
  | { readonly kind: 'pull'; readonly consumer: Name; readonly asked: Fields }
  | {
      readonly kind: 'ack';
      readonly consumer: Name;
      readonly nth: number;
      readonly verb: string;
      readonly sync: boolean;
    }
  | { readonly kind: 'pause'; readonly consumer: Name; readonly until: 'later' | 'soon' }
  | { readonly kind: 'remove'; readonly sequence: number }
  | { readonly kind: 'purge'; readonly which: Fields }
  /** The time of a mark is where consumers may begin. */
  | { readonly kind: 'mark' | 'wait' };

export interface Scenario {
  readonly stream: Fields;
  readonly steps: readonly Step[];
}

const consumer = fc.constantFrom<Name[]>('A', 'A', 'B', 'C');
const token = fc.constantFrom('a', 'a', 'b', 'c.d');

/** One after the other: how many are there when the first is delivered is nobody's promise. */
const publishes = fc
  .array(token, { minLength: 1, maxLength: 6 })
  .map((tokens) => tokens.map((token): Step => ({ kind: 'publish', token })));

const kind = <K extends Step['kind']>(...kinds: K[]): fc.Arbitrary<K> => fc.constantFrom(...kinds);

function stepOf(waits: readonly number[]): fc.Arbitrary<Step | Step[]> {
  const sync = fc.boolean();
  const action = fc.constantFrom('create', 'create', '', 'update');
  const group = fc.constantFrom('', '', 'g');
  const until = fc.constantFrom('later' as const, 'soon' as const);
  const sequence = fc.integer({ min: 1, max: 10 });
  const reset = fc.constantFrom<Fields>({}, {}, { seq: 1 }, { seq: 3 });
  const which = fc.constantFrom<Fields>({}, { filter: '@.a' }, { filter: '@.*', keep: 1 }, { keep: 2 }, { seq: 4 });
  const weighed: [number, fc.Arbitrary<Step | Step[]>][] = [
    [8, publishes],
    [4, fc.record({ kind: kind('create'), consumer, config: configOf(waits), action })],
    [12, fc.record({ kind: kind('pull'), consumer, asked: askedOf(waits) })],
    [12, fc.record({ kind: kind('ack'), consumer, nth: fc.nat(20), verb: verbOf(waits), sync })],
    [2, fc.record({ kind: kind('listen'), consumer, group })],
    [2, fc.record({ kind: kind('leave', 'delete'), consumer })],
    [1, fc.record({ kind: kind('unpin'), consumer })],
    [2, fc.record({ kind: kind('reset'), consumer, asked: reset })],
    [1, fc.record({ kind: kind('pause'), consumer, until })],
    [2, fc.record({ kind: kind('remove'), sequence })],
    [2, fc.record({ kind: kind('purge'), which })],
    [1, fc.record({ kind: kind('mark') })],
    [waits.includes(shortNs) ? 8 : 0, fc.record({ kind: kind('wait') })],
  ];
  return fc.oneof(...weighed.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

function streamOf(waits: readonly number[]): fc.Arbitrary<Fields> {
  const max_age = waits.map((wait) => 2 * wait);
  return fc
    .tuple(
      fc.constantFrom('limits', 'limits', 'limits', 'workqueue', 'interest'),
      some({ max_msgs_per_subject: [1, 2], max_msgs: [4], storage: ['memory'], max_age }, 2),
    )
    .map(([retention, fields]): Fields => ({ retention, storage: 'file', ...fields }));
}

/** Of a stream in memory nats-server's consumers pass over what filters keep from them, of one on disk they do not. */
function onDiskWithFilters({ stream, steps }: Scenario): Scenario {
  const filters = steps.some((step) => step.kind === 'create' && /filter/.test(JSON.stringify(step.config)));
  return { stream: filters ? { ...stream, storage: 'file' } : stream, steps };
}

/** A consumer is there from the beginning, so that most of what follows means something. */
function scenarioOf(waits: readonly number[], maxLength: number): fc.Arbitrary<Scenario> {
  return fc
    .tuple(streamOf(waits), configOf(waits), fc.array(stepOf(waits), { minLength: 2, maxLength }))
    .map(([stream, first, steps]) => {
      const create = { kind: 'create' as const, consumer: 'A' as const, config: first, action: 'create' };
      return onDiskWithFilters({ stream, steps: [create, ...steps.flat()] });
    });
}

/** Nothing takes its time. */
export const timeless = scenarioOf([hourNs], 16);
/** Some of what waits is over while somebody waits for it. */
export const timed = scenarioOf([hourNs, shortNs], 8);

export const scenario = fc.oneof({ weight: 5, arbitrary: timeless }, { weight: 1, arbitrary: timed });

/** Whether all of it is on disk, and nothing of it takes its time: between two messages there may be the restart. */
export function survives({ stream, steps }: Scenario): boolean {
  return stream.storage === 'file' && !/mem_storage|memory|"soon"|original/.test(JSON.stringify(steps));
}
