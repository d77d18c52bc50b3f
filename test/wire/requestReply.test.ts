import { describe, expect, test } from 'vitest';
import { RawClient, talk } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

/** What a requester is told: nobody listens on the subject. */
const none = (subject: string): string => `MSG _INBOX.1 9 {NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n} | `;

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  test('a request finds its service and the answer its way back', async () => {
    const service = await RawClient.connect(server.port);
    await service.exchange('SUB svc 1\r\n');
    const client = await RawClient.connect(server.port);
    await client.exchange('SUB _INBOX.a.* 2\r\n');
    client.send('PUB svc _INBOX.a.1 1\r\n?\r\n');
    const [question] = await service.messages(1);
    service.send(`PUB ${question?.reply} 1\r\n!\r\n`);
    const [answer] = await client.messages(1);
    expect([answer?.subject, answer?.payload.toString()]).toEqual(['_INBOX.a.1', '!']);
  });

  test('a request nobody serves is answered 503', async () => {
    expect(await talk(server.port, 'SUB _INBOX.1 9\r\nPUB nobody _INBOX.1 2\r\nhi\r\n')).toEqual([none('nobody')]);
    expect(await talk(server.port, 'SUB _INBOX.1 9\r\nHPUB nobody _INBOX.1 12 12\r\nNATS/1.0\r\n\r\n\r\n')).toEqual([
      none('nobody'),
    ]);
  });

  test('every one of many', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => `PUB nobody.${i} _INBOX.1 0\r\n\r\n`).join('');
    expect(await talk(server.port, `SUB _INBOX.1 9\r\n${lines}`)).toEqual(
      Array.from({ length: 500 }, (_, i) => none(`nobody.${i}`)),
    );
  });

  test('once, also when several subscriptions match the reply', async () => {
    const replies = await talk(server.port, 'SUB _INBOX.> 9\r\nSUB _INBOX.* 8\r\nPUB nobody _INBOX.1 0\r\n\r\n');
    expect(replies).toHaveLength(1);
    expect(replies[0]).toMatch(/^MSG _INBOX\.1 [89] \{NATS\/1\.0 503\r\nNats-Subject: nobody\r\n\r\n\} \| $/);
  });

  test('not without no_responders, nor to a queue subscription, nor to somebody else', async () => {
    const request = 'PUB nobody _INBOX.1 0\r\n\r\n';
    expect(await talk(server.port, `SUB _INBOX.1 9\r\n${request}`, { no_responders: false })).toEqual([]);
    expect(await talk(server.port, `SUB _INBOX.> q 9\r\n${request}`)).toEqual([]);
    const other = await RawClient.connect(server.port);
    await other.exchange('SUB _INBOX.1 9\r\n');
    expect(await talk(server.port, request)).toEqual([]);
    expect(await other.exchange()).toEqual([]);
  });

  test('not when somebody received it', async () => {
    const other = await RawClient.connect(server.port);
    await other.exchange('SUB served q 1\r\n');
    expect(await talk(server.port, 'SUB _INBOX.1 9\r\nPUB served _INBOX.1 0\r\n\r\n')).toEqual([]);
    expect(await other.exchange()).toEqual(['MSG served 1 _INBOX.1 | ']);
  });

  test('when the only subscriber was the publisher without echo', async () => {
    const lines = 'SUB _INBOX.1 9\r\nSUB svc.own 1\r\nPUB svc.own _INBOX.1 0\r\n\r\n';
    expect(await talk(server.port, lines, { echo: false })).toEqual([none('svc.own')]);
  });

  test('when the last subscriber has gone', async () => {
    const client = await RawClient.connect(server.port);
    const service = await RawClient.connect(server.port);
    for (let i = 0; i < 50; i++) {
      await service.exchange(`SUB svc.gone ${i}\r\nUNSUB ${i}\r\n`);
      expect(await client.exchange(`SUB _INBOX.1 9\r\nPUB svc.gone _INBOX.1 0\r\n\r\n`)).toEqual([none('svc.gone')]);
    }
  });

  test.each([
    ['', 1],
    [' q', 0],
  ])('those beyond the maximum of the only subscription%s', async (queue, others) => {
    const client = await RawClient.connect(server.port);
    await client.exchange('SUB _INBOX.1 9\r\n');
    for (let round = 0; round < 20; round++) {
      // another topic, and so another shard
      const subject = `svc.few.${round}`;
      const requests = Array.from({ length: 6 }, () => `PUB ${subject} _INBOX.1 0\r\n\r\n`);
      // not all of them stand behind each other
      if (others > 0) requests.splice(2, 0, 'PUB svc.other 0\r\n\r\n');
      const replies = await client.exchange(`SUB ${subject}${queue} 1\r\nUNSUB 1 3\r\n${requests.join('')}`);
      const taken = `MSG ${subject} 1 _INBOX.1 | `;
      expect(replies).toEqual([taken, taken, taken, none(subject), none(subject), none(subject)]);
    }
  });

  test('not those that another subscription takes', async () => {
    const requests = 'PUB svc.two _INBOX.1 0\r\n\r\n'.repeat(4);
    const replies = await talk(
      server.port,
      `SUB _INBOX.1 9\r\nSUB svc.two 1\r\nSUB svc.* 2\r\nUNSUB 1 2\r\n${requests}`,
    );
    expect(replies.filter((reply) => reply.startsWith('MSG svc.two 2'))).toHaveLength(4);
    expect(replies).toHaveLength(6);
  });

  test('what a client published before it names the subject as a reply comes before what it publishes then', async () => {
    const spy = await RawClient.connect(server.port);
    await spy.exchange('SUB own.* 9\r\n');
    const client = await RawClient.connect(server.port);
    const expected = Array.from({ length: 200 }, (_, i) => `${i}`);
    const numbers = (messages: readonly string[]) => messages.map((message) => message.split(' | ')[1]);
    for (let round = 0; round < 20; round++) {
      const subject = `own.${round}`;
      const lines = expected.map(
        (text, i) => `PUB ${subject} ${i % 20 === 10 ? `${subject} ` : ''}${text.length}\r\n${text}\r\n`,
      );
      expect(numbers(await client.exchange(`SUB ${subject} ${round}\r\n${lines.join('')}`))).toEqual(expected);
      expect((await spy.messages(expected.length)).map(({ payload }) => payload.toString())).toEqual(expected);
    }
  });

  test('nothing is answered on a subject that nobody can receive', async () => {
    expect(await talk(server.port, 'SUB > 9\r\nPUB nobody a..b 0\r\n\r\n', { echo: false })).toEqual([]);
  });

  test('a subject nobody can receive is answered too', async () => {
    expect(await talk(server.port, 'SUB _INBOX.1 9\r\nPUB a..b _INBOX.1 0\r\n\r\n')).toEqual([none('a..b')]);
  });
});
