import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Attack, floodMs } from './attack.js';
import { Client } from './client.js';

export const inbox = '_INBOX.attack';

export function publish(subject: string, body: string, reply = ''): string {
  return `PUB ${subject} ${reply} ${Buffer.byteLength(body)}\r\n${body}\r\n`;
}

export function request(name: string, body: object | string = ''): string {
  return publish(`$JS.API.${name}`, typeof body === 'string' ? body : JSON.stringify(body), inbox);
}

function create(name: string, config: object = {}): string {
  return request(`STREAM.CREATE.${name}`, { name, storage: 'memory', ...config });
}

export const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Requests again and again, after a stream `S` has been made that takes `s.>`, and so many messages to subjects of their own. */
export function requests(what: string, messages: number, config: object, all: string, before = ''): Attack {
  return {
    what,
    flags: ['--stream-memory', '2GiB', '--data', mkdtempSync(join(tmpdir(), 'shardcast-bench-'))],
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      await attacker.send(create('S', { subjects: ['s.>'], allow_direct: true, ...config }));
      await attacker.flush();
      await attacker.sendLines(messages, (i) => publish(`s.${i}`, 'x'));
      await attacker.send(before);
      await attacker.flush();
      return { attacker, strike: () => attacker.flood(all, floodMs) };
    },
  };
}

/** The attacker hears what it is answered. */
const hear = 'SUB _INBOX.> inbox\r\n';

const scans = [
  request('DIRECT.GET.S', { seq: 1, next_by_subj: '*.99999' }),
  request('STREAM.MSG.GET.S', { seq: 1, next_by_subj: 's.*.none' }),
  request('STREAM.INFO.S', { subjects_filter: '*.9*9' }),
  request('DIRECT.GET.S', { multi_last: ['s.>'], batch: 1 }),
  request('STREAM.INFO.S', { subjects_filter: '>' }),
].join('');

const purges =
  request('STREAM.PURGE.S', { filter: 's.*.x' }) + request('STREAM.PURGE.S', { filter: 's.*', keep: 150_000 });

const lists = request('STREAM.LIST', { offset: 0 }) + request('STREAM.NAMES', { subject: '>' });

const refill = numbers(2_000)
  .map((i) => publish(`s.${i}`, 'x'))
  .join('');

const withId = (i: number): string => {
  const block = `NATS/1.0\r\nNats-Msg-Id: ${'x'.repeat(2000)}${i}\r\n\r\n`;
  return `HPUB s.a ${inbox} ${block.length} ${block.length}\r\n${block}\r\n`;
};

const consumer = (name: string): string =>
  request(`CONSUMER.CREATE.S.${name}`, {
    stream_name: 'S',
    config: { name, ack_policy: 'explicit', filter_subject: 's.*' },
  });

/** What requests to streams may do to others. */
export const streamAttacks: Readonly<Record<string, Attack>> = {
  scans: requests(
    'a flood of requests that look through 100,000 subjects of a stream in memory',
    100_000,
    {},
    scans.repeat(20),
  ),
  scansOnDisk: requests('the same of a stream on disk', 50_000, { storage: 'file' }, scans.repeat(20)),
  manyFilters: requests(
    'a flood of requests for the last messages of 5,000 patterns each',
    20_000,
    {},
    request('DIRECT.GET.S', { multi_last: numbers(5_000).map((i) => `s.*.b${i}`) }).repeat(4),
  ),
  lastOfMany: requests(
    'a flood of requests for the last messages of 100,000 subjects',
    100_000,
    {},
    request('DIRECT.GET.S', { multi_last: ['s.>'] }).repeat(20),
  ),
  lastOfManyOnDisk: requests(
    'a flood of requests for the last messages of 1,000 subjects each of a stream on disk',
    50_000,
    { storage: 'file' },
    request('DIRECT.GET.S', { multi_last: numbers(1_000).map((i) => `s.${i * 50}`) }).repeat(20),
  ),
  pages: requests(
    'a flood of requests for the last pages of 200,000 subjects, and of the names of streams',
    200_000,
    {},
    [
      request('STREAM.INFO.S', { subjects_filter: '>', offset: 199_000 }),
      request('STREAM.INFO.S', { subjects_filter: 's.*', offset: 199_999 }),
      request('STREAM.NAMES', { offset: 1_000_000_000 }),
      request('STREAM.LIST', { offset: 0, subject: 's.*' }),
    ]
      .join('')
      .repeat(10),
    hear,
  ),
  gets: requests(
    'a flood of requests for one message each, on disk',
    100_000,
    { storage: 'file' },
    numbers(500)
      .map((i) => request('STREAM.MSG.GET.S', i % 2 ? { seq: 1 + i * 199 } : { last_by_subj: `s.${i * 199}` }))
      .join(''),
    hear,
  ),
  bigConfigs: requests(
    'a flood of requests to make a stream that cannot be, each in another way',
    0,
    {},
    numbers(200)
      .map((i) =>
        create(`X${i}`, { subjects: [`x.${i}.>`, `x.${i}.a`], max_age: -i, num_replicas: i, mirror: { name: 'S' } }),
      )
      .join(''),
    hear,
  ),
  batches: requests(
    'a flood of requests for 100,000 messages each, one after the other',
    100_000,
    {},
    request('DIRECT.GET.S', { seq: 1, batch: 100_000 }).repeat(20),
  ),
  batchesOnDisk: requests(
    'the same of a stream on disk, from anywhere',
    100_000,
    { storage: 'file' },
    numbers(20)
      .map((i) => request('DIRECT.GET.S', { seq: 1 + i * 4_999, batch: 10_000, next_by_subj: 's.*' }))
      .join(''),
  ),
  purges: requests('a flood of purges that look through 200,000 messages in memory', 200_000, {}, purges.repeat(5)),
  bigPurges: requests(
    'a flood of purges of all that a stream on disk has, filled again each time',
    20_000,
    { storage: 'file' },
    request('STREAM.PURGE.S') + refill,
  ),
  lists: requests(
    'a flood of requests for lists and names of 2,000 streams',
    0,
    {},
    lists.repeat(50),
    numbers(2_000)
      .map((i) => create(`M${i}`))
      .join(''),
  ),
  churnStreams: requests(
    'streams in memory that are made and deleted again and again',
    0,
    {},
    numbers(20)
      .map(
        (i) => create(`C${i}`, { subjects: numbers(100).map((k) => `c${i}.${k}.*`) }) + request(`STREAM.DELETE.C${i}`),
      )
      .join(''),
  ),
  churnOnDisk: requests(
    'streams on disk that are made and deleted again and again',
    0,
    {},
    numbers(20)
      .map((i) => create(`D${i}`, { storage: 'file', subjects: [`d${i}.*`] }) + request(`STREAM.DELETE.D${i}`))
      .join(''),
  ),
  churnConsumers: requests(
    'consumers that are made and deleted again and again, of 50,000 messages',
    50_000,
    {},
    numbers(20)
      .map((i) => consumer(`c${i}`) + request(`CONSUMER.DELETE.S.c${i}`))
      .join(''),
  ),
  shrink: requests(
    'a stream of 300,000 messages that may have 5 from now on',
    300_000,
    {},
    request('STREAM.UPDATE.S', { name: 'S', storage: 'memory', subjects: ['s.>'], max_msgs: 5, allow_direct: true }),
  ),
  deleteAll: requests('a stream of 300,000 messages that is deleted', 300_000, {}, request('STREAM.DELETE.S')),
  ids: requests(
    'a flood of publishes to a stream with identifiers of 2 KB',
    0,
    { max_msgs: 1000 },
    numbers(500).map(withId).join(''),
  ),
  numberRequests: requests(
    'a flood of requests with a number of 900,000 digits',
    0,
    {},
    request('STREAM.CREATE.B', `{"name":"B","max_msgs":${'9'.repeat(900_000)}}`),
  ),
  deepRequests: requests(
    'a flood of requests with 300,000 empty objects',
    0,
    {},
    request('STREAM.CREATE.B', `{"name":"B","subjects":[${'{},'.repeat(300_000)}{}]}`),
  ),
  escapedRequests: requests(
    'a flood of requests with 150,000 escapes',
    0,
    {},
    request('STREAM.CREATE.B', `{"name":"B","description":"${'\\u0041'.repeat(150_000)}"}`),
  ),
  manySubjects: requests(
    'streams with 1,000 subjects that are made, changed and deleted again and again',
    0,
    {},
    create('W', { subjects: numbers(1_000).map((i) => `w.${i}.*`) }) +
      request('STREAM.UPDATE.W', { name: 'W', storage: 'memory', subjects: numbers(1_000).map((i) => `w.*.${i}`) }) +
      request('STREAM.DELETE.W'),
  ),
  metadata: requests(
    'a flood of changes of metadata of 120 KB',
    0,
    {},
    numbers(2)
      .map((k) =>
        request('STREAM.UPDATE.S', {
          name: 'S',
          storage: 'memory',
          subjects: ['s.>'],
          allow_direct: true,
          metadata: Object.fromEntries(numbers(5_000).map((i) => [`key-${i}`, `value-${k}`])),
        }),
      )
      .join(''),
  ),
  bigRequests: requests(
    'a flood of requests of 1 MB to make a stream',
    0,
    {},
    request('STREAM.CREATE.B', { name: 'B', subjects: numbers(100_000).map((i) => `a${i}`) }),
  ),
};
