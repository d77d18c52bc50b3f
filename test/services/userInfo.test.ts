import { describe, expect, test } from 'vitest';
import { doors } from '../doors/everyDoor.js';
import { client, collect } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useResident } from '../harness/residents.js';

// Invariants 37 and 38 of docs/INVARIANTS.md; what nats-server answers is compared in test/peers/userInfo.test.ts.

const shardUrl = new URL('../../dist/test/rights/rightsThread.js', import.meta.url);
const subject = '$SYS.REQ.USER.INFO';

interface Told {
  readonly server: { readonly id: string; readonly seq: number; readonly time: string };
  readonly data: { readonly user: string };
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  const resident = useResident({ shards }, shardUrl);
  const connect = (options = {}) => RawClient.connect(resident.port, options);

  test('each client is told who it is, and which server it asks', async () => {
    const logins = [
      [{}, ''],
      [{ user: 'ann', pass: 'x' }, 'ann'],
      [{ auth_token: 'secret' }, '[REDACTED]'],
      [{ user: 'bob', auth_token: 'secret' }, 'bob'],
    ] as const;
    for (const [login, user] of logins) {
      const asking = await connect(login);
      asking.send(`SUB _INBOX.a 1\r\nPUB ${subject} _INBOX.a 3\r\nany\r\n`);
      const [answer] = await asking.messages(1);
      const { server, data } = JSON.parse(answer!.payload.toString()) as Told;
      expect(data).toEqual({ user, account: '$G', account_name: '$G' });
      const { server_id, server_name, host, version } = await (await RawClient.open(resident.port)).info();
      expect(server).toMatchObject({ id: server_id, name: server_name, host, ver: version, jetstream: true, flags: 1 });
      expect(Math.abs(Date.parse(server.time) - Date.now())).toBeLessThan(60_000);
    }
  });

  test('nobody else sees the question, or answers it', async () => {
    const thief = await client(resident.port);
    const seen = collect(thief, '$SYS.>');
    const taken = collect(thief, subject, 'thieves');
    const overheard = collect(thief, '_INBOX.>');
    await thief.flush();
    const asking = await connect({ user: 'ann' });
    asking.send(`SUB _INBOX.a 1\r\nPUB ${subject} 0\r\n\r\n`);
    const many = 500;
    asking.send(`PUB ${subject} _INBOX.a 0\r\n\r\n`.repeat(many));
    const answers = await asking.messages(many);
    const numbers = answers.map(({ payload }) => (JSON.parse(payload.toString()) as Told).server.seq);
    // what asks for no answer is not counted
    expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
    expect(await asking.exchange()).toEqual([]);
    await thief.flush();
    expect([seen.texts, taken.texts, overheard.texts]).toEqual([[], [], []]);
  });

  test('in verbose mode each question is acknowledged, whether it asks for an answer or not', async () => {
    const asking = await connect({ verbose: true });
    const told = await asking.exchange(`PUB ${subject} 0\r\n\r\nPUB ${subject} _INBOX.nobody 0\r\n\r\n`);
    expect(told).toEqual(['+OK', '+OK']);
  });

  test('an answer does not come where its reader may not receive', async () => {
    const asking = await connect();
    const lines = `SUB x.* 1\r\nPUB ${subject} x.secret 0\r\n\r\nPUB ${subject} x.open 0\r\n\r\n`;
    expect(await asking.exchange(lines)).toEqual([expect.stringMatching(/^MSG x\.open 1 /)]);
  });

  test('every door answers; the process is no user', async () => {
    for (const [name, open] of Object.entries(doors)) {
      const door = await open(resident.broker);
      const answer = new Promise<string>((resolve) => {
        void door.subscribe('_INBOX.who', ({ payload }) => resolve(Buffer.from(payload, 'base64').toString()), false);
      });
      // behind the subscription, at every door
      await door.publish({ subject: 'other', payload: '' });
      await door.publish({ subject, payload: '', reply: '_INBOX.who' });
      const expected = name.includes('process')
        ? { error: 'there is no connection in the process: it is no user' }
        : { data: { user: '' } };
      expect(JSON.parse(await answer)).toMatchObject(expected);
    }
  });
});
