import { once } from 'node:events';
import net from 'node:net';
import { headers } from '@nats-io/nats-core';
import { describe, expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { client } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { Broker, useBroker } from '../harness/server.js';
import {
  clientFrame,
  closeCodeOf,
  closedWith,
  openWebSocket,
  rawExchange,
  refusedStatus,
  webSocketClient,
} from '../harness/webSocketClient.js';

const args = ['--ws-port', '0'];

describe.each([1, 2, 4])('NATS over WebSocket, %i shards', (shards) => {
  const server = useBroker({ shards, args });
  const port = () => server.broker.doorPort('websocket');

  test('the official client publishes, subscribes and requests, also across transports', async () => {
    const [web, tcp] = [await webSocketClient(port()), await client(server.port)];
    web.subscribe('echo', {
      callback: (_, message) =>
        void message.respond(message.data, message.headers === undefined ? {} : { headers: message.headers }),
    });
    await web.flush();
    const set = headers();
    set.set('A', 'b');
    const answer = await tcp.request('echo', 'hello', { timeout: 30_000, headers: set });
    expect([answer.string(), answer.headers?.get('A')]).toEqual(['hello', 'b']);
    expect((await web.request('echo', 'self', { timeout: 30_000 })).string()).toBe('self');
    await expect(web.request('nobody', '', { timeout: 30_000 })).rejects.toThrow(/no responders/i);
  });

  test('many messages arrive once and in order, at every subscriber', async () => {
    const count = 5_000;
    const publisher = await webSocketClient(port());
    // one after the other: the library keeps the kind of transport to use in one place for all
    const subscribers = [await webSocketClient(port()), await webSocketClient(port()), await client(server.port)];
    const done = subscribers.map(async (subscriber) => {
      const numbers: number[] = [];
      for await (const message of subscriber.subscribe('order', { max: count })) numbers.push(Number(message.string()));
      return numbers;
    });
    await Promise.all(subscribers.map((subscriber) => subscriber.flush()));
    for (let i = 0; i < count; i++) publisher.publish('order', String(i));
    const expected = Array.from({ length: count }, (_, i) => i);
    for (const numbers of await Promise.all(done)) expect(numbers).toEqual(expected);
  });

  test('payloads of every frame length, up to the largest', async () => {
    const web = await webSocketClient(port());
    const sizes = [0, 1, 100, 125, 126, 127, 65_000, 65_535, 65_536, 70_000, 1024 * 1024];
    const received = (async () => {
      const got: Uint8Array[] = [];
      for await (const message of web.subscribe('size', { max: sizes.length })) got.push(message.data);
      return got;
    })();
    for (const size of sizes) web.publish('size', Buffer.alloc(size, size & 0xff));
    for (const [i, data] of (await received).entries())
      expect(Buffer.from(data).equals(Buffer.alloc(sizes[i]!, sizes[i]! & 0xff))).toBe(true);
  });

  test('operations may be cut anywhere, over messages and fragments, with pings between', async () => {
    const { socket, received } = await openWebSocket(port(), ['nats']);
    const text = 'CONNECT {"verbose":false}\r\nSUB cut 1\r\nPUB cut 5\r\nhello\r\nPING\r\n';
    const pong = once(socket, 'pong');
    for (let at = 0; at < text.length; at += 3)
      socket.send(text.slice(at, at + 3), { fin: at + 3 >= text.length || at % 9 === 0, binary: true });
    socket.ping('between');
    expect(String((await pong)[0])).toBe('between');
    while (!received().includes('PONG')) await once(socket, 'message');
    expect(received()).toMatch(/^INFO \{.*\}\r\nMSG cut 1 5\r\nhello\r\nPONG\r\n$/);
  });

  test('every ping of a burst is answered, with its own content and in order', async () => {
    const { socket } = await openWebSocket(port());
    const count = 20_000;
    const answers: string[] = [];
    socket.on('pong', (content) => answers.push(String(content)));
    const raw = (socket as unknown as { _socket: net.Socket })._socket;
    const contents = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? '' : `${i}`.padEnd(i % 126, '.')));
    raw.write(Buffer.concat(contents.map((content) => clientFrame(0x89, Buffer.from(content)))));
    while (answers.length < count) await once(socket, 'pong');
    expect(answers).toEqual(contents);
  });

  test('text frames may hold NATS too', async () => {
    const { socket, received } = await openWebSocket(port());
    socket.send('CONNECT {"verbose":false}\r\nPING\r\n');
    while (!received().includes('PONG')) await once(socket, 'message');
  });

  test('who goes says goodbye, and is answered with its own words', async () => {
    const { socket } = await openWebSocket(port());
    socket.close(4321, 'bye');
    expect(await closedWith(socket)).toEqual({ code: 4321, reason: 'bye' });
  });

  test('who breaks the protocol inside is told, in it and in the last frame', async () => {
    const { socket, received } = await openWebSocket(port());
    const closed = closedWith(socket);
    socket.send('NONSENSE\r\n');
    expect(await closed).toEqual({ code: 1008, reason: 'Unknown Protocol Operation' });
    expect(received()).toContain("-ERR 'Unknown Protocol Operation'");
  });

  test('a message that is too large ends the connection with the code for that', async () => {
    const { socket } = await openWebSocket(port(), ['jsonl']);
    socket.on('error', () => {});
    const closed = closedWith(socket);
    socket.send(Buffer.alloc(5 * 1024 * 1024));
    expect((await closed).code).toBe(1009);
  });

  test.each<[string, Buffer, number]>([
    ['no mask', clientFrame(0x82, Buffer.from('PING\r\n'), false), 1002],
    ['a reserved bit', clientFrame(0xf2, Buffer.from('PING\r\n')), 1002],
    ['an unknown opcode', clientFrame(0x83, Buffer.from('PING\r\n')), 1002],
    ['a continuation of nothing', clientFrame(0x80, Buffer.from('PING\r\n')), 1002],
    ['a ping in fragments', clientFrame(0x09, Buffer.from('x')), 1002],
    ['text that is not UTF-8', clientFrame(0x81, Buffer.from([0xff, 0xfe])), 1007],
    ['a close code that does not exist', clientFrame(0x88, Buffer.from([0, 1])), 1002],
    ['half a close code', clientFrame(0x88, Buffer.from([3])), 1002],
  ])('%s is answered with the code for that', async (_, bytes, code) => {
    expect(closeCodeOf(await rawExchange(port(), [bytes]))).toBe(code);
  });

  test('what is no handshake is answered in HTTP', async () => {
    const plain = await fetch(`http://127.0.0.1:${port()}/`);
    expect(plain.status).toBe(426);
    expect(await plain.text()).toContain('this port speaks WebSocket');
    expect((await rawExchange(port(), ['nonsense\r\n\r\n'], null)).toString()).toMatch(/^HTTP\/1.1 400 /);
    expect((await rawExchange(port(), ['PING\r\n'], null)).toString()).toMatch(/^HTTP\/1.1 400 /);
    expect((await rawExchange(port(), [`GET / HTTP/1.1\r\nx: ${'x'.repeat(100_000)}`], null)).toString()).toMatch(
      /^HTTP\/1.1 431 /,
    );
    expect(await refusedStatus(port(), ['mqtt'])).toBe(400);
  });

  test.each([
    ['GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 400],
    [
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      400,
    ],
    [
      'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      400,
    ],
    ['POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 405],
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nx', 426],
    ['CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ])('%j is answered with %i', async (request, status) => {
    const answer = await rawExchange(port(), [request], null, '', false);
    expect(answer.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test('connections come and go and leave nothing behind', { timeout: 120_000 }, async () => {
    const bystander = await RawClient.connect(server.port);
    const before = server.broker.descriptors;
    for (let round = 0; round < 10; round++) {
      const sockets = await Promise.all(Array.from({ length: 20 }, () => openWebSocket(port(), ['jsonl'])));
      for (const [i, { socket }] of sockets.entries()) {
        socket.send(`{"command":"SUB","topic":"cycle.${i}"}`);
        if (i % 2 === 0) socket.close();
        else socket.terminate();
      }
      await Promise.all(sockets.map(({ socket }) => (socket.readyState === 3 ? null : once(socket, 'close'))));
    }
    // descriptors are closed when the broker has noticed, which an answer to another client follows in time
    while (server.broker.descriptors > before) await bystander.exchange();
    // what others had left may have been closed meanwhile
    expect(server.broker.descriptors).toBeLessThanOrEqual(before);
  });
});

describe('a slow WebSocket client', () => {
  const server = useBroker({ config: { max_pending: 2_000_000, max_payload: 1_000_000 }, args });

  test('is ended, and harms nobody', async () => {
    const port = server.broker.doorPort('websocket');
    const { socket: slow } = await openWebSocket(port, ['jsonl']);
    slow.send('{"command":"SUB","topic":"flood"}');
    const fast = await JsonClient.overWebSocket(port);
    await fast.exchange({ command: 'SUB', topic: 'flood' });
    slow.pause();
    const publisher = await RawClient.connect(server.port);
    const payload = 'x'.repeat(100_000);
    let rounds = 0;
    for (; !/slow consumer/.test(server.broker.output) && rounds < 1000; rounds++) {
      await publisher.exchange(`PUB flood ${payload.length}\r\n${payload}\r\n`);
      await fast.take(1);
    }
    expect(server.broker.output).toContain('slow consumer');
    expect(await fast.exchange()).toEqual([]);
  });
});

describe('a WebSocket client that pings on and on and reads no answer', () => {
  const server = useBroker({ config: { max_pending: 200_000, max_payload: 100_000 }, args });

  test('is ended, and told why', async () => {
    const { socket } = await openWebSocket(server.broker.doorPort('websocket'));
    const closed = closedWith(socket);
    socket.on('error', () => {});
    socket.pause();
    const pings = Buffer.concat(Array(1_000).fill(clientFrame(0x89, Buffer.alloc(125))));
    const raw = (socket as unknown as { _socket: net.Socket })._socket;
    const logged = server.broker.logged(/slow consumer/);
    let ended = false;
    void logged.then(() => {
      ended = true;
    });
    while (!ended) await Promise.race([new Promise((taken) => raw.write(pings, taken)), logged]);
    socket.resume();
    expect(await closed).toEqual({ code: 1008, reason: 'Slow Consumer' });
  });
});

describe('with credentials, a short time to give them, and few places', () => {
  const server = useBroker({
    config: { authorization: { user: 'u', password: 'p', timeout: 1 }, max_connections: 4 },
    args: [...args, '--ws-origin', 'https://example.com'],
  });
  const port = () => server.broker.doorPort('websocket');

  test('the right ones let in, over NATS and JSON lines', async () => {
    const web = await webSocketClient(port(), { user: 'u', pass: 'p' });
    await web.flush();
    await expect(webSocketClient(port(), { user: 'u', pass: 'x' })).rejects.toThrow(/authorization/i);
    const json = await JsonClient.overWebSocket(port());
    expect(await json.exchange({ command: 'AUTH', user: 'u', pass: 'p', id: 1 })).toEqual(['{"ok":true,"id":1}']);
  });

  test('little is read of who has not given them, whatever the message', async () => {
    const { socket, received } = await openWebSocket(port());
    socket.on('error', () => {});
    const closed = closedWith(socket);
    socket.send(Buffer.alloc(1_000_000, 'x'));
    expect((await closed).code).toBe(1008);
    expect(received()).toContain("-ERR 'Authorization Violation'");
  });

  test('who never finishes a handshake is ended, and its place is free again', async () => {
    const idle = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const socket = net.connect(port(), '127.0.0.1');
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write('GET / HTTP/1.1\r\n');
        socket.resume();
        return socket;
      }),
    );
    await Promise.all(idle.map((socket) => once(socket, 'close')));
    const web = await webSocketClient(port(), { user: 'u', pass: 'p' });
    await web.flush();
  });

  test('who does not give them in time is told so', async () => {
    const { socket, received } = await openWebSocket(port());
    expect(await closedWith(socket)).toEqual({ code: 1008, reason: 'Authentication Timeout' });
    expect(received()).toContain("-ERR 'Authentication Timeout'");
  });

  test('other pages than those named may not connect; what is no page may', async () => {
    expect(await refusedStatus(port(), [], { origin: 'https://evil.example' })).toBe(403);
    const { socket } = await openWebSocket(port(), [], { origin: 'https://example.com' });
    socket.close();
    await closedWith(socket);
  });

  test('one client too many is told so in HTTP', async () => {
    const all = Array.from({ length: 5 }, () => net.connect(port(), '127.0.0.1'));
    const [answer] = (await Promise.race(all.map((socket) => once(socket, 'data')))) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 503 .*maximum connections exceeded$/s);
    for (const socket of all) socket.on('error', () => {}).destroy();
  });
});

describe('compression', () => {
  const server = useBroker({ shards: 2, args: [...args, '--ws-compression'] });

  test('is taken from clients, and what is inflated is bounded', async () => {
    const port = server.broker.doorPort('websocket');
    const { socket, received } = await openWebSocket(port, ['jsonl'], { perMessageDeflate: { threshold: 0 } });
    expect(socket.extensions).toContain('permessage-deflate');
    const payload = 'y'.repeat(50_000);
    const line = `{"command":"PUB","topic":"deflated","payload":"${payload}"}`;
    socket.send('{"command":"SUB","topic":"deflated"}', { compress: true });
    for (let i = 0; i < 50; i++) socket.send(line, { compress: true });
    const whole = `BROKER BROADCAST [deflated]: ${payload}\n`;
    while (received().length < 50 * whole.length) await once(socket, 'message');
    expect(received() === whole.repeat(50)).toBe(true);
    socket.on('error', () => {});
    const closed = closedWith(socket);
    socket.send('z'.repeat(20_000_000), { compress: true });
    expect((await closed).code).toBe(1009);
  });

  test('is off unless asked for', async () => {
    const plain = await Broker.start({ args });
    const { socket } = await openWebSocket(plain.doorPort('websocket'), [], { perMessageDeflate: true });
    expect(socket.extensions).toBe('');
    socket.terminate();
    await plain.stop();
  });
});

test('a stop says that the broker is going away', async () => {
  const broker = await Broker.start({ shards: 2, args });
  const { socket } = await openWebSocket(broker.doorPort('websocket'));
  // one that is still in its handshake does not hold up the end
  const idle = net.connect(broker.doorPort('websocket'), '127.0.0.1');
  idle.on('error', () => {});
  await once(idle, 'connect');
  const closed = closedWith(socket);
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
  expect(await closed).toEqual({ code: 1001, reason: 'server shutdown' });
  idle.destroy();
});
