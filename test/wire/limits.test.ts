import { describe, expect, test } from 'vitest';
import { connectLine, RawClient, talk, talkUntilClosed } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';

describe('defaults', () => {
  const server = useBroker();

  test('a control line of 4,000 bytes is taken', async () => {
    const subject = 's'.repeat(3990);
    expect(await talk(server.port, `SUB ${subject} 1\r\nPUB ${subject} 1\r\nx\r\n`)).toEqual([`MSG ${subject} 1 | x`]);
  });

  test.each(['SUB', 'PUB', 'UNSUB', 'HPUB'])('%s with more than 4,096 bytes closes', async (name) => {
    expect(await talkUntilClosed(server.port, `${name} ${'s'.repeat(5000)} 1\r\nPING\r\n`)).toEqual([
      "-ERR 'maximum control line exceeded'",
    ]);
  });

  test.each(['SUB', 'PUB', 'UNSUB', 'HPUB', 'CONNECT'])(
    '%s without an end is ended: it cannot fill memory',
    async (name) => {
      const client = await RawClient.connect(server.port);
      client.send(`${name} `);
      // Not a byte after the one too many: bytes that nobody reads any more would reset the connection and with it the answer.
      for (let i = 0; i < 5; i++) await client.sendAlone('s'.repeat(1000));
      expect(await client.expectClosed()).toEqual(["-ERR 'maximum control line exceeded'"]);
    },
  );

  test('CONNECT has the same limit', async () => {
    expect(await talkUntilClosed(server.port, connectLine({ name: 'n'.repeat(5000) }))).toEqual([
      "-ERR 'maximum control line exceeded'",
    ]);
  });

  test.each(['PUB a 1048577', 'HPUB a 12 1048577', 'PUB a 999999999'])('%s is over the payload limit', async (line) => {
    expect(await talkUntilClosed(server.port, `${line}\r\n`)).toEqual(["-ERR 'Maximum Payload Violation'"]);
  });
});

describe('max_control_line', () => {
  const server = useBroker({ config: { max_control_line: 512 } });

  test('is kept', async () => {
    expect(await talk(server.port, `SUB ${'s'.repeat(500)} 1\r\n`)).toEqual([]);
    expect(await talkUntilClosed(server.port, `SUB ${'s'.repeat(513)} 1\r\nPING\r\n`)).toEqual([
      "-ERR 'maximum control line exceeded'",
    ]);
  });
});

describe('max_payload', () => {
  const server = useBroker({ config: { max_payload: 10 } });

  test('is said in INFO and kept to the byte', async () => {
    const client = await RawClient.open(server.port);
    expect((await client.info()).max_payload).toBe(10);
    expect(await talk(server.port, 'SUB a 1\r\nPUB a 10\r\n0123456789\r\n')).toEqual(['MSG a 1 | 0123456789']);
    expect(await talkUntilClosed(server.port, 'PUB a 11\r\n01234567890\r\nPING\r\n')).toEqual([
      "-ERR 'Maximum Payload Violation'",
    ]);
    expect(await talkUntilClosed(server.port, 'HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n')).toEqual([
      "-ERR 'Maximum Payload Violation'",
    ]);
  });
});

describe('max_subscriptions', () => {
  const server = useBroker({ config: { max_subscriptions: 2 } });

  test('one more is refused, the connection and the others stay, an UNSUB makes room', async () => {
    const client = await RawClient.connect(server.port);
    expect(await client.exchange('SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n')).toEqual([
      "-ERR 'maximum subscriptions exceeded'",
    ]);
    expect(await client.exchange('PUB c 1\r\nx\r\nPUB b 1\r\nx\r\n')).toEqual(['MSG b 2 | x']);
    expect(await client.exchange('UNSUB 1\r\nSUB c 3\r\nPUB c 1\r\nx\r\n')).toEqual(['MSG c 3 | x']);
  });

  test('each connection has its own', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(server.port)));
    for (const client of clients) expect(await client.exchange('SUB a 1\r\nSUB b 2\r\n')).toEqual([]);
  });
});

describe('max_connections', () => {
  const server = useBroker({ config: { max_connections: 2 } });

  test('one more is told so and closed; a place that becomes free can be taken', async () => {
    const [first, second] = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    const third = await RawClient.open(server.port);
    await third.info();
    expect(await third.expectClosed()).toEqual(["-ERR 'maximum connections exceeded'"]);
    first.close();
    // When the broker has seen the end is its own affair: try until it has.
    for (;;) {
      const next = await RawClient.open(server.port);
      next.send(`${connectLine()}PING\r\n`);
      await next.info();
      const frame = await next.next();
      if (frame.op === 'PONG') break;
      expect(frame).toEqual({ op: '-ERR', text: 'maximum connections exceeded' });
    }
    expect(await second.exchange()).toEqual([]);
  });
});
