import { expect, test } from 'vitest';
import { laneUnits } from '../../src/base/limits.js';
import { cost } from '../../src/base/work.js';
import { createExchangeMemory } from '../../src/exchange/memory.js';
import { ackPattern, Services } from '../../src/router/services.js';
import { SimThread } from '../sim/simThread.js';

// Invariant 37 of docs/INVARIANTS.md.

const endpoint = { pattern: '$TEST.REQ.*', nameToken: 2 };
const subject = '$TEST.REQ.a';
const wanted = { queue: '', lossy: false, index: 0, retired: false, heldBytes: 0 };

function twoThreads() {
  const memory = createExchangeMemory(2, 4096);
  const received: string[] = [];
  const options = { threads: 2, clients: 0, order: 'topic', seed: 1 } as const;
  const threads = [0, 1].map(
    (self) =>
      new SimThread(memory, self, options, (gateway, on, queue, _, payload) =>
        received.push(`${gateway} ${on} ${queue} ${Buffer.from(payload).toString('latin1')}`),
      ),
  ) as [SimThread, SimThread];
  const shard = new Services(2).shardOf(endpoint, subject);
  const turn = () => {
    for (const { exchange } of [...threads, ...threads]) {
      exchange.doWork();
      exchange.publish();
    }
  };
  return { there: threads[shard]!, here: threads[1 - shard]!, gateway: 1 - shard, received, turn };
}

test('a request that finds its service gone is told so, unless others take it', () => {
  const { there, here, gateway, received, turn } = twoThreads();
  const requests: string[] = [];
  here.subscribe({ subject: 'inbox.*', ...wanted });
  there.shard.services.open(endpoint, { onRequests: (topic) => requests.push(topic.text) });
  for (const { exchange } of [there, here]) exchange.publish();
  turn();
  expect(here.publish(subject, 'inbox.1', new Uint8Array(0))).toBe(true);
  here.exchange.publish();
  turn();
  expect([requests, received]).toEqual([[subject], []]);

  // read before it was known here that the service has gone
  expect(here.publish(subject, 'inbox.2', new Uint8Array(0))).toBe(true);
  there.shard.services.close(endpoint);
  there.exchange.publish();
  here.exchange.publish();
  turn();
  expect(requests).toEqual([subject]);
  expect(received).toEqual([`${gateway} inbox.2  NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`]);

  received.length = 0;
  there.subscribe({ subject: '$TEST.>', ...wanted });
  there.exchange.publish();
  turn();
  expect(here.publish(subject, 'inbox.3', new Uint8Array(0))).toBe(true);
  here.exchange.publish();
  turn();
  expect(received).toEqual([`${1 - gateway} ${subject}  `]);
});

test('a request costs whoever publishes it what it takes to be answered, wherever that is', () => {
  const { there, here, turn } = twoThreads();
  there.shard.services.open(endpoint, { onRequests: () => {} });
  there.exchange.publish();
  turn();
  for (const { router } of [there, here]) router.work.nextTurn();
  for (let i = 0; i < 10; i++) there.publish(subject, 'inbox', new Uint8Array(0));
  expect(there.router.work.units).toBeGreaterThanOrEqual(10 * cost.request);
  // so a run of them is cut where its publisher's share ends
  expect(there.router.topics.find(subject)!.units).toBeGreaterThanOrEqual(cost.request);
  for (let i = 0; i < 200; i++) here.publish(subject, 'inbox', new Uint8Array(0));
  here.exchange.publish();
  there.router.work.nextTurn();
  there.exchange.doWork();
  expect(there.router.work.units).toBeLessThan(laneUnits + 10 * cost.request);
  expect(there.exchange.quiet).toBe(false);
});

test('an acknowledgement costs a small part of a request, wherever it is read', () => {
  const { there, here, gateway, turn } = twoThreads();
  const acks = { pattern: ackPattern, nameToken: 2 };
  there.shard.services.open(acks, { onRequests: () => {} });
  there.exchange.publish();
  turn();
  const services = new Services(2);
  const ack = ['a', 'b', 'c', 'd']
    .map((stream) => `$JS.ACK.${stream}.C.1`)
    .find((each) => services.shardOf(acks, each) !== gateway) as string;
  there.publish(ack, 'inbox', new Uint8Array(0));
  there.router.work.nextTurn();
  for (let i = 0; i < 10; i++) there.publish(ack, 'inbox', new Uint8Array(0));
  expect(there.router.work.units).toBeGreaterThanOrEqual(10 * cost.acknowledgement);
  expect(there.router.work.units).toBeLessThan(cost.request);
  for (let i = 0; i < 200; i++) here.publish(ack, 'inbox', new Uint8Array(0));
  here.exchange.publish();
  there.router.work.nextTurn();
  there.exchange.doWork();
  expect(there.exchange.quiet).toBe(true);
});

test('who comes later is told what is open', () => {
  const { there, here } = twoThreads();
  there.shard.services.open(endpoint, { onRequests: () => {} });
  const told: string[] = [];
  const announcer = { service: (pattern: string, _: number, open: boolean) => told.push(`${pattern} ${open}`) };
  there.router.replay({
    ...announcer,
    inbox() {},
    plainInterest() {},
    queueInterest() {},
    topicFull() {},
    lagging() {},
  });
  here.router.replay({
    ...announcer,
    inbox() {},
    plainInterest() {},
    queueInterest() {},
    topicFull() {},
    lagging() {},
  });
  expect(told).toEqual(['$TEST.REQ.* true']);
});
