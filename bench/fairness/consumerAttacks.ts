import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from './attack.js';
import { Client } from './client.js';
import { inbox, numbers, publish, request, requests } from './streamAttacks.js';

const consumerCount = 20;
const waitingEach = 1_000;

function create(name: string, config: object = {}): string {
  return request(`CONSUMER.CREATE.S.${name}`, {
    stream_name: 'S',
    config: { name, ack_policy: 'explicit', filter_subject: 's.*', ...config },
  });
}

const next = (consumer: string, body: object) => request(`CONSUMER.MSG.NEXT.S.${consumer}`, body);

const hear = 'SUB _INBOX.> inbox\r\n';

/** What is said of messages that nobody has been given, in every way and in none. */
const nonsense = [
  '+ACK',
  '-NAK {"delay":1}',
  '+WPI',
  '+TERM why',
  '+NXT {"batch":100000}',
  '{"batch":1}',
  '',
  '-NAK {',
  'x'.repeat(5_000),
];
const wrongSubjects = ['1.9.9.1.0', '1.99999999999999999999.1.1.0', 'a.b.c.d.e', '-1.0.0.0.0', '1.1.1.1.1.1.1.1.1.1'];

/** What consumers and those who ask them may do to others. */
export const consumerAttacks: Readonly<Record<string, Attack>> = {
  pulls: requests(
    'a flood of requests for one message of a consumer each, of a stream with 100,000',
    100_000,
    {},
    next('c', { batch: 1, no_wait: true }).repeat(2_000),
    create('c', { ack_policy: 'none' }) + hear,
  ),
  pullsOfMany: requests(
    'a flood of requests for all of 100,000 messages, with their headers alone',
    100_000,
    {},
    numbers(100)
      .map((i) => create(`c${i}`, { ack_policy: 'none', headers_only: true }) + next(`c${i}`, { batch: 100_000 }))
      .join(''),
    hear,
  ),
  expiring: {
    what: `${consumerCount * waitingEach} requests for messages that end together, again and again`,
    flags: ['--stream-memory', '2GiB'],
    prepare: async ({ nats }) => {
      const attacker = await Client.nats(nats);
      const names = numbers(consumerCount).map((i) => `c${i}`);
      await attacker.send(
        hear +
          publish('$JS.API.STREAM.CREATE.S', '{"name":"S","storage":"memory","subjects":["s.>"]}') +
          names.map((name) => create(name, { max_waiting: waitingEach })).join(''),
      );
      await attacker.flush();
      const asks = names.map((name) => next(name, { batch: 1, expires: 500_000_000 }).repeat(waitingEach));
      const strike = async () => {
        for (let i = 0; i < 3; i++) {
          for (const some of asks) await attacker.send(some);
          await attacker.flush();
          await sleep(700);
        }
      };
      return { attacker, strike };
    },
  },
  acknowledgements: requests(
    'a flood of nonsense about messages that a consumer has not delivered',
    1_000,
    {},
    wrongSubjects
      .flatMap((subject) => nonsense.map((body) => publish(`$JS.ACK.S.c.${subject}`, body, inbox)))
      .join('')
      .repeat(10),
    create('c') + hear,
  ),
  churnDurables: requests(
    'durable consumers that are made, changed, paused and deleted again and again, on disk',
    50_000,
    { storage: 'file' },
    numbers(20)
      .map(
        (i) =>
          create(`d${i}`, { durable_name: `d${i}` }) +
          create(`d${i}`, { durable_name: `d${i}`, filter_subject: `s.${i}` }) +
          request(`CONSUMER.PAUSE.S.d${i}`, { pause_until: '2100-01-01T00:00:00Z' }) +
          request(`CONSUMER.DELETE.S.d${i}`),
      )
      .join(''),
    hear,
  ),
  consumerLists: requests(
    'a flood of requests for lists and names of 900 consumers',
    100,
    {},
    (request('CONSUMER.LIST.S', { offset: 0 }) + request('CONSUMER.NAMES.S', { offset: 850 })).repeat(50),
    hear +
      numbers(900)
        .map((i) => create(`c${i}`))
        .join(''),
  ),
};
