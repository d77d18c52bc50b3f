import { expect, test } from 'vitest';
import { DeadLetters } from '../../src/gateway/prefetch/deadLetters.js';
import { Hand } from '../../src/gateway/prefetch/hand.js';
import type { Topic } from '../../src/router/topic.js';
import { HeldMessages } from '../../src/subscriber/heldMessages.js';
import { limited } from '../rights/denied.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, subscribed } from './connections.js';
import { messageOf } from './messages.js';

// Invariants 23 and 38 of docs/INVARIANTS.md: a dead letter is published with the rights of whoever named its subject.

test.each([
  ['yes.dead', true, 'published', ['yes.dead true']],
  ['yes.dead', false, 'to be tried again', []],
  ['no.dead', true, 'gone', []],
  ['yes.nobody', true, 'gone', []],
])('to %s, with room %s, a message is %s', (deadLetter, room, outcome, letters) => {
  const under = new RouterUnderTest(0, 2);
  const held = new HeldMessages<Topic>();
  const published: string[] = [];
  const dead = new DeadLetters(under.router, held, (topic, message) => {
    if (room) published.push(`${topic.text} ${message.dead}`);
    return room;
  });
  for (const [sid, subject] of ['yes.dead', 'no.dead'].entries())
    under.router.interest.addLocal(subscribed(idleConnection(10 + sid), subject, '1', ''));
  const member = subscribed(idleConnection(1), 'jobs', '1', 'g');
  member.connection.rights = limited;
  member.hand = new Hand(1, { ackWaitMs: 1, maxDeliver: 0, deadLetter }, held);
  const message = held.keep(under.topic('jobs'), messageOf('x'), 0);
  expect(dead.bury(member, message, 'terminated', 1)).toBe(outcome !== 'to be tried again');
  expect(published).toEqual(letters);
});
