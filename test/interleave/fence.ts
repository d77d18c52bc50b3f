import { mainAccount } from '../../src/base/account.js';
import { latin1Bytes } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { placeOf, Span } from '../../src/base/span.js';
import { Exchange } from '../../src/exchange/exchange.js';
import type { ExchangeMemory } from '../../src/exchange/memory.js';
import type { ExchangeQueue, ExchangeTopic, GatewayRole, RouterRole, ShardRole } from '../../src/exchange/roles.js';
import { unheard } from '../exchange/unheard.js';
import { randomFrom } from '../sim/random.js';
import { check, type Scenario } from './scenario.js';
import { gate } from './turnstile.js';
import { listOfShards, memoryOfShards } from './twoShards.js';

const rounds = 6;
const [leaver, sequencer] = [0, 1];

const topic: ExchangeTopic = {
  account: mainAccount,
  subject: latin1Bytes('work'),
  ...placeOf(latin1Bytes('work')),
  slot: 0,
  serial: 1,
  live: true,
};
const group: ExchangeQueue = { text: 'g', bytes: latin1Bytes('g'), slot: 0, serial: 1 };

class Endpoint {
  readonly exchange: Exchange<ExchangeTopic>;
  /** Members of the group that the other endpoint has said to have. */
  members = 0;
  /** Messages of the group that came. */
  received = 0;

  constructor(memory: ExchangeMemory, self: number) {
    this.exchange = new Exchange<ExchangeTopic>(memory, self);
    const names: RouterRole<ExchangeTopic> = {
      topicOf: () => topic,
      freshen: () => true,
      ...unheard,
      onQueueInterest: (_gateway, _subject, _queue, members) => {
        this.members = members;
      },
    };
    const gateway: Partial<GatewayRole<ExchangeTopic>> = {
      onDeliverQueue: () => {
        this.received++;
      },
    };
    this.exchange.connect(names, {} as ShardRole<ExchangeTopic>, gateway as GatewayRole<ExchangeTopic>);
  }

  turn(): void {
    this.exchange.doWork();
    this.exchange.publish();
  }
}

/**
 * A group's only member joins and leaves, again and again, while a shard hands it all it can: once its fence is taken and what can be seen has
 * been drained, nothing may come for it any more, since it would be lost.
 */
export const fence: Scenario = {
  planted: ['the fence before the leave'],

  memory: listOfShards,

  threads: [
    (memory, _seed, plant) => {
      const member = new Endpoint(memoryOfShards(memory), leaver);
      const { exchange } = member;
      for (let round = 1; round <= rounds; round++) {
        exchange.announcer.announceQueue('work', 'g', 1, 1, mainAccount);
        exchange.publish();
        const before = member.received;
        while (member.received === before) member.turn();
        if (plant === '') exchange.announcer.announceQueue('work', 'g', 0, 1, mainAccount);
        exchange.fence();
        const marks = exchange.markPublished()!;
        exchange.publish();
        if (plant !== '') for (let i = 0; i < 30; i++) gate();
        while (!exchange.isSequenced(marks)) member.turn();
        exchange.drainDeliveries();
        const own = member.received;
        if (plant !== '') exchange.announcer.announceQueue('work', 'g', 0, 1, mainAccount);
        for (let i = 0; i < 10; i++) {
          gate();
          member.turn();
        }
        check(member.received === own, 'nothing comes for a member that has left');
      }
      exchange.announcer.announceQueue('work', 'g', -1, 1, mainAccount);
      exchange.publish();
    },
    (memory, seed) => {
      const random = randomFrom(seed);
      const shard = new Endpoint(memoryOfShards(memory), sequencer);
      const view = new MessageView();
      view.set(new Span(latin1Bytes('x\r\n')), 0, 1);
      while (shard.members >= 0) {
        shard.turn();
        // what a socket brings in the same turn, after it has looked at control records again
        shard.exchange.drainControl();
        for (let i = random(3); i > 0 && shard.members > 0 && !shard.exchange.congested; i--)
          shard.exchange.gateways[leaver].deliverQueue(topic, group, view, 0);
      }
    },
  ],
};
