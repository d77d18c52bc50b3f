import fc from 'fast-check';

export type Fields = Readonly<Record<string, unknown>>;

/** What is done to both servers; streams, subjects and times are named as in `Side`. */
export type Name = 'A' | 'B' | 'C';

export type Step =
  | { readonly kind: 'publish'; readonly token: string }
  | { readonly kind: 'create'; readonly consumer: Name; readonly config: Fields; readonly action: string }
  | { readonly kind: 'listen'; readonly consumer: Name; readonly group: string }
  | { readonly kind: 'leave' | 'delete'; readonly consumer: Name }
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
  | { readonly kind: 'purge'; readonly which: Fields };

export interface Scenario {
  readonly stream: Fields;
  readonly steps: readonly Step[];
}

const hourNs = 3_600_000_000_000;
const consumer = fc.constantFrom<Name[]>('A', 'A', 'B', 'C');
const token = fc.constantFrom('a', 'a', 'b', 'c.d');
/** `@` stands for the prefix of the scenario's subjects. */
const filter = fc.constantFrom('@.a', '@.b', '@.*', '@.>', '@.c.d', '@.none');

/** Some of some fields, each with any of its values. */
function some(values: Readonly<Record<string, readonly unknown[]>>, maxLength: number): fc.Arbitrary<Fields> {
  const field = fc
    .constantFrom(...Object.keys(values))
    .chain((key) => fc.constantFrom(...(values[key] as readonly unknown[])).map((value) => [key, value] as const));
  return fc.array(field, { maxLength }).map(Object.fromEntries);
}

const start = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ deliver_policy: 'all' }) },
  { weight: 1, arbitrary: fc.constantFrom({ deliver_policy: 'last' }, { deliver_policy: 'new' }) },
  { weight: 1, arbitrary: filter.map((filter_subject) => ({ deliver_policy: 'last_per_subject', filter_subject })) },
  {
    weight: 1,
    arbitrary: fc.nat(8).map((opt_start_seq) => ({ deliver_policy: 'by_start_sequence', opt_start_seq })),
  },
);
const filters = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: filter.map((filter_subject) => ({ filter_subject })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(['@.a', '@.b'], ['@.a', '@.c.>'], ['@.*', '@.a']).map((filter_subjects) => ({
      filter_subjects,
    })),
  },
);
const acks = fc.constantFrom('explicit', 'explicit', 'explicit', 'none', 'all').map((ack_policy) => ({ ack_policy }));
const limits = some(
  {
    max_ack_pending: [1, 2, 3, -1],
    max_deliver: [1, 2, 3],
    max_waiting: [1, 2],
    max_batch: [2],
    max_bytes: [300],
    headers_only: [true],
    backoff: [[hourNs], [hourNs, 2 * hourNs]],
    description: ['what for'],
  },
  2,
);
const pushed = fc.constantFrom({}, {}, {}, { deliver_subject: 'out' }, { deliver_subject: 'out', deliver_group: 'g' });

const config = fc.tuple(start, filters, acks, limits, pushed).map((parts) => Object.assign({}, ...parts) as Fields);

const asked = fc.oneof(
  fc.record({ batch: fc.integer({ min: 1, max: 5 }), no_wait: fc.constant(true) }),
  fc.record({ batch: fc.integer({ min: 1, max: 5 }), expires: fc.constant(hourNs) }),
  fc.record({
    batch: fc.integer({ min: 1, max: 5 }),
    max_bytes: fc.integer({ min: 60, max: 260 }),
    expires: fc.constant(hourNs),
  }),
  fc.record({
    batch: fc.integer({ min: 1, max: 5 }),
    max_bytes: fc.integer({ min: 60, max: 260 }),
    no_wait: fc.constant(true),
  }),
  fc.constantFrom<Fields>({}, { batch: 0 }, { expires: hourNs, idle_heartbeat: hourNs }, { batch: 2 }),
);

const verb = fc.constantFrom(
  '',
  '+ACK',
  '+ACK',
  '-NAK',
  '-NAK',
  `-NAK {"delay":${hourNs}}`,
  '+TERM',
  '+TERM why',
  '+WPI',
  'junk',
);

/** One after the other: how many are there when the first is delivered is nobody's promise. */
const publishes = fc
  .array(token, { minLength: 1, maxLength: 6 })
  .map((tokens) => tokens.map((token): Step => ({ kind: 'publish', token })));

const step: fc.Arbitrary<Step | Step[]> = fc.oneof(
  { weight: 4, arbitrary: publishes },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      consumer,
      config,
      action: fc.constantFrom('create', 'create', '', 'update'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pull' as const), consumer, asked }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('ack' as const), consumer, nth: fc.nat(20), verb, sync: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('listen' as const), consumer, group: fc.constantFrom('', '', 'g') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'delete' as const), consumer }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reset' as const),
      consumer,
      asked: fc.constantFrom<Fields>({}, {}, { seq: 1 }, { seq: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('pause' as const),
      consumer,
      until: fc.constantFrom('later' as const, 'soon' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), sequence: fc.integer({ min: 1, max: 10 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('purge' as const),
      which: fc.constantFrom<Fields>({}, { filter: '@.a' }, { filter: '@.*', keep: 1 }, { keep: 2 }, { seq: 4 }),
    }),
  },
);

const stream = fc
  .tuple(
    fc.constantFrom('limits', 'limits', 'limits', 'workqueue', 'interest'),
    some({ max_msgs_per_subject: [1, 2], max_msgs: [4], storage: ['memory'] }, 2),
  )
  .map(([retention, fields]): Fields => ({ retention, storage: 'file', ...fields }));

/** Of a stream in memory nats-server's consumers pass over what filters keep from them, of one on disk they do not. */
function onDiskWithFilters({ stream, steps }: Scenario): Scenario {
  const filters = steps.some((step) => step.kind === 'create' && /filter/.test(JSON.stringify(step.config)));
  return { stream: filters ? { ...stream, storage: 'file' } : stream, steps };
}

/** A consumer is there from the beginning, so that most of what follows means something. */
export const scenario: fc.Arbitrary<Scenario> = fc
  .tuple(stream, config, fc.array(step, { minLength: 2, maxLength: 16 }))
  .map(([stream, first, steps]) => {
    const create = { kind: 'create' as const, consumer: 'A' as const, config: first, action: 'create' };
    return onDiskWithFilters({ stream, steps: [create, ...steps.flat()] });
  });
