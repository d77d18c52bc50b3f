import * as fc from 'fast-check';
import { type Broker, codecs, NoRespondersError, startBroker } from 'shardcast';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// Invariant 16 of docs/INVARIANTS.md.

const configFields =
  `name subjects description storage retention discard discard_new_per_subject max_msgs max_bytes max_age max_msgs_per_subject
  max_msg_size max_consumers num_replicas no_ack duplicate_window placement mirror sources compression first_seq subject_transform
  republish allow_direct mirror_direct sealed deny_delete deny_purge allow_rollup_hdrs consumer_limits metadata template_owner
  allow_msg_ttl subject_delete_marker_ttl allow_msg_counter allow_atomic allow_msg_schedules allow_batched persist_mode pedantic`.split(
    /\s+/,
  );
const getFields =
  'seq last_by_subj next_by_subj batch max_bytes start_time multi_last up_to_seq up_to_time no_hdr'.split(' ');
const pageFields = ['offset', 'limit', 'subject'];

/** Each request of the API, and the fields that it knows. */
const requests: Readonly<Record<string, readonly string[]>> = {
  INFO: [],
  'STREAM.CREATE.S': configFields,
  'STREAM.UPDATE.S': configFields,
  'STREAM.INFO.S': ['deleted_details', 'subjects_filter', 'offset'],
  'STREAM.LIST': pageFields,
  'STREAM.NAMES': pageFields,
  'STREAM.PURGE.S': ['filter', 'seq', 'keep'],
  'STREAM.DELETE.S': [],
  'STREAM.MSG.GET.S': getFields,
  'STREAM.MSG.DELETE.S': ['seq', 'no_erase'],
  'DIRECT.GET.S': getFields,
  'DIRECT.GET.S.s.1': ['no_hdr'],
  'CONSUMER.NAMES.S': pageFields,
  'CONSUMER.LIST.S': pageFields,
};

/** Values as they stand in JSON: of every type, at and beyond the bounds of numbers. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom('null', '0', '-0', '1', '-1', '1.5', '1e2', '1e400', '9007199254740993', '-9007199254740993'),
    fc.constantFrom('18446744073709551616', 'true', '""', '"s.>"', '"x"', '"\\ud800"', '"\\u0000"', '"a..b"', '">"'),
    fc.constantFrom('"2026-01-01T00:00:00Z"', '"0001-01-01T00:00:00Z"', '"99999-01-01T00:00:00Z"', '"memory"'),
    fc.array(tie('any'), { maxLength: 2 }).map((items) => `[${items.join(',')}]`),
    fc.array(tie('any'), { maxLength: 2 }).map((items) => `{${items.map((item) => `"__proto__":${item}`).join(',')}}`),
  ),
})).any as fc.Arbitrary<string>;

/** What is wrong about a body as a whole. */
const noJson = ['', '{', '[', 'null', '5', '9007199254740993', '"x"', '[]', '{"seq":}', '{"seq":1,}', '{"":1}', '\0'];

const runs = Number(process.env.FUZZ_RUNS ?? 30);

describe.each([1, 2, 4])('%i shards', (shards) => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker({ listen: false, shards, logLevel: 'silent' });
  });
  afterAll(() => broker.stop());

  async function ask(request: string, body: string): Promise<unknown> {
    const api = { codec: codecs.utf8, timeoutMs: 120_000 };
    try {
      return (await broker.request(`$JS.API.${request}`, body, api)).bytes.length;
    } catch (error) {
      return error instanceof NoRespondersError ? error.code : error;
    }
  }

  test.each(Object.entries(requests))('%s is answered, whatever it says', async (request, fields) => {
    const base = `"name":"S","storage":"memory","subjects":["s.>"]`;
    const field = fc.tuple(fc.constantFrom(...fields, 'other'), value).map(([name, said]) => `"${name}":${said}`);
    const many = fc.array(field, { maxLength: 3 }).map((said) => `{${said.join(',')}}`);
    // each field once with what has no place in a number, and not in JSON.stringify either
    const unsafe = fields.map((name) => `{"${name}":[9007199254740993]}`);
    const bodies = [
      ...noJson,
      ...unsafe,
      ...fc.sample(
        fc.oneof(
          many,
          field.map((said) => `{${base},${said}}`),
        ),
        runs,
      ),
    ];
    const answered = bodies.map(async (body, i) => {
      if (i % 10 === 0) await ask('STREAM.CREATE.S', `{${base}}`);
      expect(await ask(request, body), body).not.toBeInstanceOf(Error);
    });
    await Promise.race([Promise.all(answered), broker.failed.then(Promise.reject.bind(Promise))]);
  });
});
