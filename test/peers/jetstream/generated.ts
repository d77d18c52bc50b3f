import fc from 'fast-check';
import type { OptionsRequest } from './requests.js';

type Fields = Readonly<Record<string, unknown>>;

const names = ['A', 'B'] as const;
const name = fc.constantFrom(...names, 'A');
/** Half of what is asked is of a stream that is there, with one subject or another. */
const subject = fc.constantFrom('a.1', 'a.1', 'a.2', 'a.2', 'a.3', 'a.1.x', 'b', 'b.1');
const filter = fc.constantFrom('a.1', 'a.2', 'a.*', 'a.>', '>', '*.2', 'a.1.>', 'none', 'b', 'a..1', 'a. 1', '*');
const seconds = 1_000_000_000;

/** Any of some fields, each with any of its values; most of the time few. */
function fieldsOf(values: Readonly<Record<string, readonly unknown[]>>, maxLength = 3): fc.Arbitrary<Fields> {
  const field = fc
    .constantFrom(...Object.keys(values))
    .chain((key) => fc.constantFrom(...(values[key] as readonly unknown[])).map((value) => [key, value] as const));
  return fc.array(field, { maxLength }).map(Object.fromEntries);
}

const wrongTypes = ['x', 1.5, true, null, [], {}, -1];

const configFields = fieldsOf(
  {
    subjects: [['a.>'], ['a.*'], ['b'], ['a.1', 'a.2'], ['b', 'b.*'], ['a.>', 'b.>'], ['*.1'], [], null],
    storage: ['file', 'file', 'memory'],
    retention: ['limits', 'interest', 'workqueue', 'LIMITS'],
    discard: ['old', 'new', 'New'],
    discard_new_per_subject: [true, false],
    max_msgs: [0, 1, 2, 3, -1, -5, 1000],
    max_bytes: [0, 1, 60, 100, 150, 300, -1, -2],
    max_msgs_per_subject: [0, 1, 2, -1, -9],
    max_msg_size: [0, 1, 10, 60, -1, -2],
    max_consumers: [0, 5, -1, -7],
    max_age: [0, 3600 * seconds, -1, 1, 60 * seconds],
    duplicate_window: [0, 60 * seconds, 120 * seconds, -1, 1, 3600 * seconds],
    num_replicas: [0, 1, 2, 6, -1],
    description: ['', 'text', 'ü<&>'],
    first_seq: [0, 1, 5, 100],
    allow_direct: [true, false],
    mirror_direct: [true, false],
    sealed: [true, false],
    deny_delete: [true, false],
    deny_purge: [true, false],
    allow_rollup_hdrs: [true, false],
    compression: ['none', 's2', 'zip'],
    consumer_limits: [{}, { inactive_threshold: seconds }, { max_ack_pending: 5 }, null],
    metadata: [{}, { a: 'b' }, { b: '1', a: '2' }, { '_nats.ver': 'x', '_nats.req.level': '9' }, null],
    placement: [{}, { cluster: 'c' }, { tags: ['t'] }, null],
    pedantic: [true, false],
    persist_mode: ['', 'default', 'zz'],
    allow_msg_ttl: [false, true, null],
    allow_atomic: [false, null],
    sources: [null],
    mirror: [null],
  },
  6,
);
const oddConfig = fieldsOf({
  name: wrongTypes,
  subjects: ['x', [1], [''], ['a..b'], ['>'], ['$JS.>'], ['$SYS.a'], ['a', 'a'], ['a b'], ['*', 'b']],
  max_msgs: wrongTypes,
  max_msg_size: [...wrongTypes, 3_000_000_000],
  max_age: wrongTypes,
  no_ack: wrongTypes,
  storage: [...wrongTypes, 'Memory'],
  retention: [...wrongTypes, 'zz'],
  first_seq: wrongTypes,
  metadata: [...wrongTypes, { a: 1 }],
  placement: [...wrongTypes, { preferred: 'x' }, { x: 1 }],
  consumer_limits: [...wrongTypes, { x: 1 }],
  pedantic: wrongTypes,
  unknown: [1],
  Max_Msgs: [5],
});

const base = { subjects: ['a.>'], storage: 'memory', allow_direct: true };

const configured = (endpoint: string): fc.Arbitrary<OptionsRequest> =>
  fc
    .tuple(name, configFields, fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: oddConfig }))
    .map(([stream, fields, odd]) => {
      const given = { name: stream, ...base, ...(stream === 'B' ? { subjects: ['b.>', 'b'] } : {}), ...fields, ...odd };
      return { subject: `$JS.API.STREAM.${endpoint}.${stream}`, body: JSON.stringify(given) };
    });

const few = fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7');
const publishHeaders = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constant('Nats-Msg-Id'), fc.constantFrom('one', 'two', 'three', 'one ', 'ü')),
      fc.tuple(fc.constant('Nats-Expected-Stream'), fc.constantFrom('A', 'A', 'B', '')),
      fc.tuple(
        fc.constant('Nats-Expected-Last-Sequence'),
        fc.oneof(few, fc.constantFrom('', 'x', '-1', '+1', '1.0', '01')),
      ),
      fc.tuple(fc.constant('Nats-Expected-Last-Subject-Sequence'), fc.oneof(few, fc.constantFrom('', 'x', '-1', '0'))),
      fc.tuple(fc.constant('Nats-Expected-Last-Subject-Sequence-Subject'), filter),
      fc.tuple(fc.constant('Nats-Expected-Last-Msg-Id'), fc.constantFrom('one', 'two', '', 'x')),
      fc.tuple(fc.constant('Nats-Rollup'), fc.constantFrom('sub', 'all', 'SUB', 'All', 'zz', '')),
      fc.tuple(
        fc.constant('Nats-TTL'),
        // none is over while a script runs
        fc.constantFrom('99', '99s', 'never', '0', '-1', 'x', '99.5', '1h30m', '500ms', '1m2.5s', ''),
      ),
      fc.tuple(fc.constant('Nats-Incr'), fc.constantFrom('1', '-1', '+5', 'x', '', '1.5')),
      fc.tuple(fc.constant('Nats-Batch-Id'), fc.constantFrom('b', '')),
      fc.tuple(fc.constant('Nats-Batch-Sequence'), fc.constantFrom('1', 'x')),
      fc.tuple(fc.constant('Nats-Batch-Commit'), fc.constantFrom('1', 'eob', '')),
      fc.tuple(fc.constant('Nats-Schedule'), fc.constantFrom('@every 1s', '@at 2030-01-01T00:00:00Z', 'x', '')),
      fc.tuple(fc.constant('Nats-Schedule-Target'), fc.constantFrom('a.9', '')),
      fc.tuple(fc.constant('Nats-Schedule-Next'), fc.constantFrom('purge', 'x', '')),
      fc.tuple(fc.constant('Nats-Scheduler'), fc.constantFrom('a.1', 'x', '')),
      fc.tuple(fc.constant('Nats-Stream-Source'), fc.constantFrom('x', '')),
      fc.tuple(fc.constant('Nats-Required-Api-Level'), fc.constantFrom('1', '99')),
      fc.tuple(fc.constant('nats-msg-id'), fc.constantFrom('one')),
      fc.tuple(fc.constant('Nats-Marker-Reason'), fc.constantFrom('MaxAge')),
      fc.tuple(fc.constant('KV-Operation'), fc.constantFrom('DEL', 'PURGE')),
      fc.tuple(fc.constant('X'), fc.constantFrom('y', '')),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((pairs) => Object.fromEntries(pairs) as Record<string, string>);

const body = fc.constantFrom('', 'x', 'payload', 'x'.repeat(11), 'x'.repeat(70), 'x'.repeat(200));
const publish: fc.Arbitrary<OptionsRequest> = fc
  .tuple(subject, body, fc.option(publishHeaders, { nil: undefined, freq: 3 }))
  .map(([to, text, headers]) =>
    headers === undefined ? { subject: to, body: text } : { subject: to, body: text, headers },
  );

const sequences = [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 100];
const filters = ['a.1', 'a.2', 'a.*', 'a.>', '>', '*.2', 'a.1.>', 'none', 'b', '', '*'];
const times = [
  '2020-01-01T00:00:00Z',
  '2120-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '2020-01-01T00:00:00.5+02:00',
  'bad',
  '@A#1',
  '@A#2',
  '@A#4',
  '@A#6',
  '',
];
const getValues = {
  seq: [...sequences, -1, 'x'],
  last_by_subj: filters,
  next_by_subj: filters,
  start_time: times,
  no_hdr: [true, false, 'x'],
  batch: [0, 1, 2, 3, 10, -1],
  max_bytes: [0, 1, 30, 100, 500, -1],
  multi_last: [[], ['a.1'], ['a.*'], ['>'], ['a.1', 'a.2'], ['a.*', 'a.1'], ['none'], [''], 'x'],
  up_to_seq: sequences,
  up_to_time: times,
  unknown: [1],
};
const usual = {
  ...getValues,
  seq: sequences,
  no_hdr: [true, false],
  multi_last: [['a.1'], ['a.*'], ['>'], ['a.1', 'a.2']],
};
const getFields = fc.oneof(
  { weight: 1, arbitrary: fieldsOf(getValues, 4) },
  { weight: 2, arbitrary: fieldsOf(usual, 4) },
);

const noJson = fc.constantFrom(
  '',
  '{}',
  ' {} ',
  '[]',
  '{',
  'x',
  '5',
  'null',
  '"x"',
  '{"seq":}',
  '{"seq":1}x',
  '\t{}\n',
  '[1]',
  '{"a":1}',
);
const asJson = (fields: fc.Arbitrary<Fields>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 8, arbitrary: fields.map((each) => JSON.stringify(each)) }, { weight: 1, arbitrary: noJson });

/** Now and then. */
const level = fc.oneof(
  { weight: 25, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom('0', '5', '6', 'x', '', '-1', '+5') },
);

const api = (endpoint: fc.Arbitrary<string>, bodies: fc.Arbitrary<string>): fc.Arbitrary<OptionsRequest> =>
  fc.tuple(endpoint, bodies, level).map(([asked, text, required]) => ({
    subject: `$JS.API.${asked}`,
    body: text,
    ...(required === undefined ? {} : { headers: { 'Nats-Required-Api-Level': required } }),
  }));
const ofStream = (endpoint: string): fc.Arbitrary<string> =>
  fc
    .oneof({ weight: 15, arbitrary: name }, { weight: 1, arbitrary: fc.constant('missing') })
    .map((stream) => `${endpoint}.${stream}`);

const page = asJson(fieldsOf({ offset: [0, 1, 2, 9, -1, 'x'], subject: filters, limit: [1], unknown: [1] }, 2));
const purgeFields = fieldsOf({ filter: filters, seq: sequences, keep: [0, 1, 2, 5], unknown: [1] }, 2);

const request: fc.Arbitrary<OptionsRequest> = fc.oneof(
  { weight: 24, arbitrary: publish },
  { weight: 2, arbitrary: configured('CREATE') },
  { weight: 3, arbitrary: configured('UPDATE') },
  { weight: 1, arbitrary: api(ofStream('STREAM.DELETE'), fc.oneof(fc.constant(''), noJson)) },
  { weight: 4, arbitrary: api(ofStream('STREAM.PURGE'), asJson(purgeFields)) },
  {
    weight: 4,
    arbitrary: api(
      ofStream('STREAM.MSG.DELETE'),
      asJson(fieldsOf({ seq: sequences, no_erase: [true, false], unknown: [1] }, 2)),
    ),
  },
  { weight: 4, arbitrary: api(ofStream('STREAM.MSG.GET'), asJson(getFields)) },
  { weight: 8, arbitrary: api(ofStream('DIRECT.GET'), asJson(getFields)) },
  {
    weight: 3,
    arbitrary: api(
      fc.tuple(name, subject).map(([stream, token]) => `DIRECT.GET.${stream}.${token}`),
      fc.oneof(fc.constant(''), asJson(fieldsOf(getValues, 1))),
    ),
  },
  {
    weight: 4,
    arbitrary: api(
      ofStream('STREAM.INFO'),
      asJson(fieldsOf({ deleted_details: [true, false, 'x'], subjects_filter: filters, offset: [0, 1, 2, 9, -1] }, 3)),
    ),
  },
  { weight: 1, arbitrary: api(fc.constant('STREAM.NAMES'), page) },
  { weight: 1, arbitrary: api(fc.constant('STREAM.LIST'), page) },
  { weight: 1, arbitrary: api(fc.constantFrom('INFO'), fc.constantFrom('', '{}', 'x')) },
  {
    weight: 1,
    arbitrary: api(
      fc.oneof(...['CONSUMER.NAMES', 'CONSUMER.LIST', 'STREAM.LEADER.STEPDOWN'].map(ofStream)),
      asJson(fieldsOf({ offset: [0, 1, -1] }, 1)),
    ),
  },
  {
    weight: 1,
    arbitrary: api(
      fc
        .tuple(fc.constantFrom('CONSUMER.INFO', 'CONSUMER.DELETE', 'CONSUMER.MSG.NEXT'), name)
        .map(([e, s]) => `${e}.${s}.c`),
      fc.oneof(fc.constant(''), noJson),
    ),
  },
);

/** A first stream, and what both servers are asked then. */
export const sequenceOfRequests: fc.Arbitrary<readonly OptionsRequest[]> = fc
  .tuple(
    fc.oneof(
      fc.constant({ subject: '$JS.API.STREAM.CREATE.A', body: JSON.stringify({ name: 'A', ...base }) }),
      configured('CREATE'),
    ),
    fc.array(request, { minLength: 4, maxLength: 40, size: '+1' }),
  )
  .map(([first, rest]) => [first, ...rest]);
