import { expect, test } from 'vitest';
import { createExchangeMemory } from '../../src/exchange/memory.js';
import { Services } from '../../src/router/services.js';
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
