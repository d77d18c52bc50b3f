import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { MessageView } from '../../src/base/messageView.js';
import { DeadLetters } from '../../src/router/deadLetters.js';
import type { Topic } from '../../src/router/topic.js';
import { HeldMessages } from '../../src/subscriber/heldMessages.js';
import { limited } from '../rights/denied.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, subscribed } from './connections.js';
import { messageOf } from './messages.js';

// Invariants 23 and 38 of docs/INVARIANTS.md: a dead letter is published with the rights of whoever named its subject.

test.each([
  ['yes.dead', true, 'gone', ['yes.dead true']],
  ['yes.dead', false, 'waits', []],
  ['no.dead', true, 'denied', []],
  ['yes.nobody', true, 'gone', []],
  ['$SYS.a', true, 'denied', []],
  ['$SHARDCAST.SUB', true, 'denied', []],
])('to %s, with room %s, a message is %s', (deadLetter, room, outcome, letters) => {
  const under = new RouterUnderTest(0, 2);
  const held = new HeldMessages<Topic>();
  const published: string[] = [];
  const dead = new DeadLetters(under.router, {
    ready: (topic) => under.router.ready(topic),
    publish: (topic, message) => {
      if (room) published.push(`${topic.text} ${message.dead}`);
      return room;
    },
  });
  for (const [sid, subject] of ['yes.dead', 'no.dead', '$SYS.a', '$SHARDCAST.SUB'].entries())
    under.router.interest.addLocal(subscribed(idleConnection(10 + sid), subject, '1', ''));
  const view = new MessageView();
  held.show(held.keep(under.topic('jobs'), messageOf('x'), 0), view);
  const sender = { deadLetter, account: mainAccount, rights: deadLetter.startsWith('$') ? null : limited };
  const notes = { reason: 'terminated', subject: 'jobs', group: 'g', deliveries: 1, dropped: 0 } as const;
  expect(dead.post(sender, view, notes)).toBe(outcome);
  expect(published).toEqual(letters);
  expect([dead.posted, dead.denied]).toEqual([letters.length, outcome === 'denied' ? 1 : 0]);
});
