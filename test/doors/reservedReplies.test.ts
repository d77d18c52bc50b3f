import { type Broker, startBroker } from 'shardcast';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reservedReplyPrefixes } from '../../src/protocol/subject.js';
import { DoorLink, type SocketDoor, socketDoors } from '../harness/doorLink.js';

// Invariant 26 of docs/INVARIANTS.md.

const replies = [...reservedReplyPrefixes.map((prefix) => `${prefix}x`), '$SHARDCAST.SUB'];
/** What would hold back each answer of the service for a second. */
const wish = JSON.stringify({ lingerUs: 1_000_000 });

function request(door: SocketDoor, reply: string): string {
  if (door.startsWith('jsonl')) return `${JSON.stringify({ command: 'PUB', topic: 'svc', reply, payload: wish })}\n`;
  return `PUB svc ${reply} ${wish.length}\r\n${wish}\r\n`;
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker({ port: 0, jsonlPort: 0, wsPort: 0, shards, logLevel: 'silent' });
  });
  afterAll(() => broker.stop());

  test.each(socketDoors)('%s: no service is sent a request whose answer would act on itself', async (door) => {
    const services = await Promise.all(socketDoors.map((each) => DoorLink.open(broker, each)));
    for (const service of services) await service.exchange(service.subscribe({ topic: 'svc' }));
    const attacker = await DoorLink.open(broker, door);
    for (const reply of replies) {
      const told = await attacker.exchange(request(door, reply));
      expect(told.replaceAll('\\', '')).toContain(`Permissions Violation for Publish with Reply of "${reply}"`);
    }
    await attacker.exchange(attacker.publish('svc', 'after'));
    for (const service of services) {
      expect(await service.exchange('')).not.toContain('lingerUs');
      await service.destroy();
    }
    await attacker.destroy();
  });

  test.each(replies)('in the process no publish takes %s as its reply', async (reply) => {
    const topic = broker.topic<string>('svc');
    const seen = topic.subscribe();
    const error = expect.objectContaining({ code: 'BAD_SUBJECT', message: expect.stringContaining(reply) });
    await expect(topic.publish(wish, { reply })).rejects.toEqual(error);
    await expect(topic.publishSync(wish, { reply })).rejects.toEqual(error);
    expect(() => topic.offer(wish, { reply })).toThrow(error);
    await topic.publish('after');
    expect((await seen.next()).value?.value).toBe('after');
    await seen.return?.();
  });

  test('in the process nobody publishes what would act on whoever passes it on', async () => {
    const asking = broker.topic<string>('$SHARDCAST.SUB');
    await expect(asking.publish(wish)).rejects.toMatchObject({ code: 'BAD_SUBJECT' });
    await expect(broker.topic('$SHARDCAST.>').publish(wish, { subject: '$SHARDCAST.SUB' })).rejects.toMatchObject({
      code: 'BAD_SUBJECT',
    });
    await expect(asking.publishSync(wish, { reply: 'inbox' })).rejects.toMatchObject({ code: 'BAD_SUBJECT' });
    expect(() => asking.offer(wish)).toThrow(expect.objectContaining({ code: 'BAD_SUBJECT' }));
    const answer = await broker.request('$SHARDCAST.SUB', wish);
    expect(answer.value).toEqual({ error: expect.stringContaining('subscribe with options') });
  });
});
