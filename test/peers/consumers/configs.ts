import fc from 'fast-check';

export type Fields = Readonly<Record<string, unknown>>;

export const hourNs = 3_600_000_000_000;
/** What takes so long is over when a scenario has waited. */
export const shortMs = 400;
export const shortNs = shortMs * 1_000_000;

/** `@` at the beginning stands for the prefix of the scenario's subjects. */
export const filter = fc.constantFrom('@.a', '@.b', '@.*', '@.>', '@.c.d', '@.none');

/** Some of some fields, each with any of its values. */
export function some(values: Readonly<Record<string, readonly unknown[]>>, maxLength: number): fc.Arbitrary<Fields> {
  const field = fc
    .constantFrom(...Object.keys(values))
    .chain((key) => fc.constantFrom(...(values[key] as readonly unknown[])).map((value) => [key, value] as const));
  return fc.array(field, { maxLength }).map(Object.fromEntries);
}

/** `@mark` stands for the time of the last mark. */
const start = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ deliver_policy: 'all' }) },
  { weight: 2, arbitrary: fc.constantFrom({ deliver_policy: 'last' }, { deliver_policy: 'new' }) },
  { weight: 2, arbitrary: filter.map((filter_subject) => ({ deliver_policy: 'last_per_subject', filter_subject })) },
  {
    weight: 2,
    arbitrary: fc.nat(8).map((opt_start_seq) => ({ deliver_policy: 'by_start_sequence', opt_start_seq })),
  },
  { weight: 1, arbitrary: fc.constant({ deliver_policy: 'by_start_time', opt_start_time: '@mark' }) },
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

/** What fits together seldom, or never: what is refused, and with which text, has to be the same. */
const odd = fc.constantFrom<Fields[]>(
  ...[
    { deliver_policy: 'by_start_sequence' },
    { deliver_policy: 'by_start_time' },
    { opt_start_seq: 3 },
    { max_deliver: 1, backoff: [hourNs, hourNs] },
    { deliver_subject: 'out.*' },
    { deliver_subject: '@.a' },
    { deliver_subject: 'a..b' },
    { deliver_subject: 'out', max_waiting: 5 },
    { deliver_subject: 'out', flow_control: true },
    { deliver_subject: 'out', idle_heartbeat: 1 },
    { deliver_subject: 'out', priority_groups: ['g'], priority_policy: 'overflow' },
    { flow_control: true },
    { idle_heartbeat: hourNs },
    { rate_limit_bps: 1000 },
    { filter_subject: 'a..b' },
    { filter_subject: '@.a', filter_subjects: ['@.b'] },
    { filter_subjects: ['@.a', '@.a'] },
    { filter_subjects: [''] },
    { ack_wait: -1 },
    { backoff: [-1] },
    { max_expires: 1 },
    { sample_freq: 'abc' },
    { sample_freq: '-1' },
    { num_replicas: 2 },
    { num_replicas: -1 },
    { priority_groups: ['g'] },
    { priority_policy: 'overflow' },
    { priority_timeout: hourNs },
    { priority_groups: [''], priority_policy: 'overflow' },
    { priority_groups: ['no room'], priority_policy: 'pinned_client' },
    { max_waiting: -1, max_batch: -1, max_deliver: -5, max_ack_pending: -5 },
    { direct: true },
    { replay_policy: 'original' },
    { inactive_threshold: hourNs },
  ],
);

/** @param waits how long whatever waits may wait, in nanoseconds */
function limitsOf(waits: readonly number[]): fc.Arbitrary<Fields> {
  const values = {
    ack_wait: waits,
    max_ack_pending: [1, 2, 3, -1],
    max_deliver: [1, 2, 3],
    max_waiting: [1, 2],
    max_batch: [2],
    max_bytes: [300],
    max_expires: [hourNs],
    headers_only: [true],
    backoff: waits.flatMap((wait) => [[wait], [wait, hourNs]]),
    description: ['what for'],
    sample_freq: ['0'],
  };
  return some(values, 2);
}

function groupsOf(waits: readonly number[]): fc.Arbitrary<Fields> {
  const policy = fc.constantFrom<Fields[]>(
    { priority_policy: 'overflow' },
    { priority_policy: 'prioritized' },
    ...waits.map((priority_timeout) => ({ priority_policy: 'pinned_client', priority_timeout })),
  );
  return policy.map((fields) => ({ priority_groups: ['g'], ...fields }));
}

/** `out` stands for where a consumer pushes to. */
function targetOf(waits: readonly number[]): fc.Arbitrary<Fields> {
  const pushed = { deliver_subject: 'out' };
  const beats = waits.map((idle_heartbeat) => ({ ...pushed, idle_heartbeat, flow_control: true }));
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant({}) },
    { weight: 3, arbitrary: fc.constantFrom<Fields[]>(pushed, { ...pushed, deliver_group: 'g' }, ...beats) },
    { weight: 2, arbitrary: groupsOf(waits) },
  );
}

/** What comes again and again to whoever listens would never come to rest. */
function bounded(config: Fields): Fields {
  const { deliver_subject, ack_wait, backoff, max_deliver } = config;
  const isShort = [ack_wait, ...((backoff as readonly number[]) ?? [])].includes(shortNs);
  return isShort && deliver_subject !== undefined && max_deliver === undefined ? { ...config, max_deliver: 2 } : config;
}

export function configOf(waits: readonly number[]): fc.Arbitrary<Fields> {
  const usual = fc.tuple(start, filters, acks, limitsOf(waits), targetOf(waits));
  const parts = fc.tuple(usual, fc.option(odd, { freq: 10 })).map(([fields, other]) => [...fields, other ?? {}]);
  return parts.map((fields) => bounded(Object.assign({}, ...fields)));
}

/** Requests for messages; `@pin` stands for what whoever is pinned is called. */
export function askedOf(waits: readonly number[]): fc.Arbitrary<Fields> {
  const batch = fc.integer({ min: 1, max: 5 });
  const max_bytes = fc.integer({ min: 60, max: 260 });
  const expires = fc.constantFrom(...waits);
  const no_wait = fc.constant(true);
  const beats = fc.constantFrom<Fields[]>({ expires: hourNs, idle_heartbeat: hourNs }, ...waits.map(beating));
  const group = fc.constant('g');
  return fc.oneof(
    { weight: 2, arbitrary: fc.record({ batch, no_wait }) },
    { weight: 3, arbitrary: fc.record({ batch, expires }) },
    { weight: 1, arbitrary: fc.record({ batch, max_bytes, expires }) },
    { weight: 1, arbitrary: fc.record({ batch, max_bytes, no_wait }) },
    { weight: 1, arbitrary: fc.record({ batch, expires, no_wait }) },
    { weight: 1, arbitrary: beats },
    { weight: 1, arbitrary: fc.constantFrom<Fields>({}, { batch: 0 }, { batch: 2 }) },
    { weight: 1, arbitrary: fc.record({ batch, expires, group }) },
    { weight: 1, arbitrary: fc.record({ batch, no_wait, group }) },
    { weight: 1, arbitrary: fc.record({ batch, expires, group, min_pending: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ batch, expires, group, min_ack_pending: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ batch, expires, group, priority: fc.integer({ min: 0, max: 10 }) }) },
    { weight: 1, arbitrary: fc.record({ batch, expires, group, id: fc.constantFrom('@pin', 'nobody') }) },
  );
}

const beating = (idle_heartbeat: number): Fields => ({ batch: 3, expires: 2 * idle_heartbeat, idle_heartbeat });

export function verbOf(waits: readonly number[]): fc.Arbitrary<string> {
  const delayed = waits.map((wait) => `-NAK {"delay":${wait}}`);
  const next = ['+NXT', '+NXT 2', `+NXT {"batch":2,"expires":${hourNs}}`, '+NXT {"no_wait":true}'];
  const usual = ['', '+ACK', '+ACK', '+ACK', '-NAK', '-NAK', '+TERM', '+TERM why', '+WPI', '+OK', 'junk', '-NAK 1h'];
  return fc.constantFrom(...usual, ...delayed, ...next);
}
