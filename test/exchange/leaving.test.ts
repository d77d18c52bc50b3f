import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { latin1Bytes } from '../../src/base/bytes.js';
import { demand } from '../../src/base/demand.js';
import { fullness } from '../../src/base/fullness.js';
import { placeOf } from '../../src/base/span.js';
import { Exchange } from '../../src/exchange/exchange.js';
import { addEndpoint, createExchangeMemory } from '../../src/exchange/memory.js';
import type { ExchangeTopic, GatewayRole, RouterRole, ShardRole } from '../../src/exchange/roles.js';
import { runOf } from '../gateway/messages.js';

// Invariant 24 of docs/INVARIANTS.md.

test('an endpoint that goes while publishers and subscribers wait for it is waited for no more', () => {
  const memory = createExchangeMemory(1, 4096, 1);
  addEndpoint(memory, 1);
  const exchange = new Exchange<ExchangeTopic>(memory, 0);
  let held = 0;
  const away = {
    lossySubjects: () => null,
    nameOf: () => '',
    hold: () => held++,
    release: () => exchange.announcer.announceFull('t', fullness.ready),
  };
  const none = {} as RouterRole<ExchangeTopic> & ShardRole<ExchangeTopic> & GatewayRole<ExchangeTopic>;
  exchange.connect(none, none, none, null, away);
  const subject = latin1Bytes('t');
  const topic = { account: mainAccount, subject, ...placeOf(subject), slot: 0, serial: 1, live: true };
  while (held === 0) exchange.gateways[1].deliver(topic, runOf(['.'.repeat(200)]));
  for (let i = 0; exchange.controlClear; i++) exchange.announcer.announcePlain(`s.${i}`, demand.all, 0, mainAccount);
  exchange.leave(1);
  expect(exchange.controlClear).toBe(true);
  expect(exchange.congested).toBe(false);
  expect(exchange.quiet).toBe(true);
});
