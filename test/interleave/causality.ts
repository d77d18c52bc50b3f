import { mainAccount } from '../../src/base/account.js';
import { latin1Bytes } from '../../src/base/bytes.js';
import { demand } from '../../src/base/demand.js';
import { MessageView } from '../../src/base/messageView.js';
import { placeOf, Span } from '../../src/base/span.js';
import { Exchange } from '../../src/exchange/exchange.js';
import { createExchangeMemory, type ExchangeMemory, type PairMemory } from '../../src/exchange/memory.js';
import type { ExchangeTopic, GatewayRole, RouterRole, ShardRole } from '../../src/exchange/roles.js';
import { unheard } from '../exchange/unheard.js';
import { randomFrom } from '../sim/random.js';
import { check, type Scenario } from './scenario.js';
import { gate } from './turnstile.js';

const rounds = 12;
const [subscriber, sequencer, responder] = [0, 1, 2];

const topic: ExchangeTopic = {
  account: mainAccount,
  subject: latin1Bytes('request'),
  ...placeOf(latin1Bytes('request')),
  slot: 0,
  serial: 1,
  live: true,
};

/** The lanes of three endpoints as the list that a run takes, and back. */
function listOf({ bells, pairs }: ExchangeMemory): SharedArrayBuffer[] {
  const lanes = pairs.flat().filter((pair) => pair !== null);
  return [bells, ...lanes.flatMap(({ control, publish, deliver }) => [control, publish!, deliver!])];
}

function memoryOf([bells, ...lanes]: SharedArrayBuffer[]): ExchangeMemory {
  const pairs = [0, 1, 2].map((writer) =>
    [0, 1, 2].map((reader): PairMemory | null => {
      if (writer === reader) return null;
      const [control, publish, deliver] = lanes.splice(0, 3);
      return { control, publish, deliver };
    }),
  );
  return { shards: 3, endpoints: 3, laneBytes: 4096, deliverBytes: 4096, controlBytes: 4096, bells, pairs };
}

/** An endpoint that counts the interest it hears of, and what it is handed. */
class Endpoint {
  readonly exchange: Exchange<ExchangeTopic>;
  interests = 0;

  constructor(
    memory: ExchangeMemory,
    self: number,
    roles: { onPublish?(m: MessageView): void; onDeliver?(m: MessageView): void },
  ) {
    this.exchange = new Exchange<ExchangeTopic>(memory, self);
    const names: RouterRole<ExchangeTopic> = {
      topicOf: () => topic,
      freshen: () => true,
      ...unheard,
      onPlainInterest: () => this.interests++,
    };
    const shard = { onPublish: (_, message) => roles.onPublish?.(message) } as Partial<ShardRole<ExchangeTopic>>;
    const gateway = { onDeliver: (_, message) => roles.onDeliver?.(message) } as Partial<GatewayRole<ExchangeTopic>>;
    this.exchange.connect(names, shard as ShardRole<ExchangeTopic>, gateway as GatewayRole<ExchangeTopic>);
  }

  turn(): void {
    this.exchange.doWork();
    this.exchange.publish();
  }
}

/**
 * A thread announces interest in a reply and publishes the request, both in one turn. The request goes by the sequencer's
 * thread to a third one, which must know of the interest when it answers.
 */
export const causality: Scenario = {
  planted: ['the request before the interest'],

  memory: () => listOf(createExchangeMemory(3, 4096)),

  threads: [
    (memory, _seed, plant) => {
      const { exchange } = new Endpoint(memoryOf(memory), subscriber, {});
      const view = new MessageView();
      view.set(new Span(latin1Bytes('x\r\n')), 0, 1);
      for (let round = 0; round < rounds; round++) {
        if (plant === '') exchange.announcer.announcePlain(`reply.${round}`, demand.all, 0, mainAccount);
        exchange.shards[sequencer].publish(topic, view);
        exchange.publish();
        if (plant === '') continue;
        for (let i = 0; i < 60; i++) gate();
        exchange.announcer.announcePlain(`reply.${round}`, demand.all, 0, mainAccount);
        exchange.publish();
      }
    },
    (memory, seed) => {
      const random = randomFrom(seed);
      let answered = 0;
      const asked = new Endpoint(memoryOf(memory), responder, {
        onDeliver: ({ count }) => {
          answered += count;
          check(asked.interests >= answered, 'who answers knows who asked');
        },
      });
      const between = new Endpoint(memoryOf(memory), sequencer, {
        onPublish: (message) => between.exchange.gateways[responder].deliver(topic, message),
      });
      while (answered < rounds) (random(2) === 0 ? between : asked).turn();
    },
  ],
};
