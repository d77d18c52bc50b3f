import type { Broker } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { Router } from '../../src/router/router.js';
import { type DoorClient, type DoorMessage, doors } from '../doors/everyDoor.js';
import { client, collect } from '../harness/officialClient.js';
import { brokerOn, useResident } from '../harness/residents.js';
import type { Answer } from './answers.js';

// Invariants 34 and 37 of docs/INVARIANTS.md.

const shardUrl = new URL('../../dist/test/services/serviceThread.js', import.meta.url);
const text = (message: DoorMessage) => Buffer.from(message.payload, 'base64').toString();
const portOf = (broker: Broker) => Number(new URL(broker.ports.nats[0]!).port);

/** Sends requests one behind the other; resolves with the answers once there are as many. */
async function ask(door: DoorClient, subjects: readonly string[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  let finish: () => void;
  const all = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const take = (message: DoorMessage) => {
    if (answers.push(JSON.parse(text(message)) as Answer) === subjects.length) finish();
  };
  await door.subscribe('_INBOX.test', take, false);
  for (const [i, subject] of subjects.entries())
    await door.publish({ subject, payload: Buffer.from(`${i}`).toString('base64'), reply: '_INBOX.test' });
  await all;
  return answers;
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  const resident = useResident({ shards }, shardUrl);

  test.each(Object.keys(doors))(
    '%s: each request is answered once, by the shard of its name, in order',
    async (door) => {
      const names = ['a', 'b', 'c'].flatMap((name) => [`$TEST.REQ.STORE.${name}`, `$TEST.hub.REQ.STORE.${name}`]);
      const subjects = Array.from({ length: 60 }, (_, i) =>
        i % 7 === 6 ? '$TEST.REQ.INFO' : names[i % names.length]!,
      );
      const answers = await ask(await doors[door]!(resident.broker), subjects);
      expect(answers.map(({ asked }) => Number(asked)).sort((a, b) => a - b)).toEqual(subjects.map((_, i) => i));
      for (const { subject, asked, shard } of answers) {
        expect(subject).toBe(subjects[Number(asked)]!.replace('.hub', ''));
        const name = subject.split('.')[3];
        expect(shard).toBe(name === undefined ? 0 : Router.ownerOf(latin1Bytes(name), shards));
      }
      for (const subject of new Set(answers.map((answer) => answer.subject))) {
        const order = answers.filter((answer) => answer.subject === subject).map(({ asked }) => Number(asked));
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }
    },
  );

  test('a service is somebody who listens; once it has answered that it goes, nobody does, for nobody', async () => {
    const broker = await brokerOn(shardUrl, { shards });
    const connections = await Promise.all([0, 1, 2, 3].map(() => client(portOf(broker))));
    for (const connection of connections) {
      const answer = (await connection.request('$TEST.REQ.INFO', '')).json<Answer>();
      expect(answer).toMatchObject({ shard: 0, subject: '$TEST.REQ.INFO' });
    }
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const shard = Router.ownerOf(latin1Bytes(name), shards);
      const outcomes: (number | null)[] = [];
      for (const connection of connections) {
        const answer = connection.request(`$TEST.REQ.ONCE.${name}`, '');
        outcomes.push(
          await answer.then(
            (message) => message.json<Answer>().shard,
            () => null,
          ),
        );
      }
      // the first of a shard's names finds it there
      const gone = ['a', 'b', 'c', 'd', 'e']
        .slice(0, 'abcde'.indexOf(name))
        .some((other) => Router.ownerOf(latin1Bytes(other), shards) === shard);
      expect(outcomes).toEqual([gone ? null : shard, null, null, null]);
    }
    await expect(broker.request('$TEST.REQ.ONCE.a', '')).rejects.toMatchObject({ code: 'NO_RESPONDERS' });
    await expect(broker.request('$TEST.REQ.INFO', '')).resolves.toMatchObject({ subject: expect.anything() });
  });

  test('others who take the subject see requests and take none; what a service says is no request', async () => {
    const [watcher, member, requester] = await Promise.all([0, 1, 2].map(() => client(resident.port)));
    const seen = collect(watcher!, '$TEST.>');
    const taken = collect(member!, '$TEST.REQ.*', 'thieves');
    await watcher!.flush();
    await member!.flush();
    const first = (await requester!.request('$TEST.REQ.INFO', 'x')).json<Answer>();
    for (let i = 1; i <= 20; i++)
      expect((await requester!.request('$TEST.REQ.INFO', 'x')).json<Answer>().number).toBe(first.number + i);
    requester!.publish('$TEST.REQ.INFO', 'loop', { reply: '$TEST.REQ.INFO' });
    const last = (await requester!.request('$TEST.REQ.INFO', 'y')).json<Answer>();
    expect(last.number).toBe(first.number + 22);
    await watcher!.flush();
    await member!.flush();
    const loop = JSON.stringify({ shard: 0, number: last.number - 1, subject: '$TEST.REQ.INFO', asked: 'loop' });
    expect(seen.texts.filter((each) => each !== 'x').sort()).toEqual(['loop', 'y', loop].sort());
    expect(seen.texts.filter((each) => each === 'x')).toHaveLength(21);
    expect(taken.texts.sort()).toEqual(seen.texts.sort());
  });

  test('a request to the gateway is answered where it is read, on every door, and goes no further', async () => {
    const watcher = await client(resident.port);
    const seen = collect(watcher, '$SHARDCAST.>');
    await watcher.flush();
    for (const [name, open] of Object.entries(doors)) {
      const door = await open(resident.broker);
      const answer = new Promise<DoorMessage>((resolve) => void door.subscribe('_INBOX.asks', resolve, false));
      await door.publish({ subject: 'other', payload: '' });
      const payload = Buffer.from('{"policy":"drop-old"}').toString('base64');
      await door.publish({ subject: '$SHARDCAST.SUB', payload, reply: '_INBOX.asks' });
      const expected = name.includes('process')
        ? { error: expect.stringContaining('subscribe with options') }
        : { ok: true };
      expect(JSON.parse(text(await answer))).toEqual(expected);
    }
    await watcher.flush();
    expect(seen.texts).toEqual([]);
  });
});
