import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Egress } from '../../src/gateway/egress.js';
import { errorLine } from '../../src/protocol/encoder.js';
import { FrameReader } from '../harness/frames.js';
import { Loopback, quietEvents, roomyLimits, testDoor } from './connections.js';
import { headOf, messageOf } from './messages.js';

test.each([
  ['directly', false, 'later'],
  ['by TLS', true, 'later'],
  ['directly', false, 'before its last words are sent'],
  ['by TLS', true, 'before its last words are sent'],
])(
  'a connection, written to %s, that has too much pending is told, and its last words follow a whole message',
  async (_, isSecure, reads) => {
    const loopback = await Loopback.open(1, testDoor, () => isSecure);
    const [{ connection, client }] = loopback.pairs as [(typeof loopback.pairs)[0]];
    const events: string[] = [];
    const egress = new Egress(
      { ...roomyLimits, maxPendingBytes: 400_000 },
      {
        ...quietEvents,
        onOverflow: () => events.push('overflow'),
        onFullness: () => events.push('fullness'),
        onDrained: () => {
          events.push('drained');
          connection.socket.end();
        },
      },
    );
    for (let i = 0; i < 2_000; i++) {
      egress.deliver(connection.solo, headOf('a.b', '1'), messageOf('x'.repeat(1 + i)), 0, true);
      if (i % 50 === 49) egress.flush();
    }
    expect(events.filter((event) => event !== 'fullness')[0]).toBe('overflow');
    const before = egress.pendingBytes;
    egress.cutShort(connection);
    expect(egress.pendingBytes).toBeLessThan(before);
    expect(egress.pendingBytes).toBe(connection.pendingBytes);
    egress.write(connection, errorLine('Slow Consumer'));
    connection.enter('closing', 'test');
    if (reads === 'later') egress.flush();

    const chunks: Buffer[] = [];
    client.on('data', (chunk) => chunks.push(chunk));
    const ended = once(client, 'end');
    client.resume();
    if (reads !== 'later') {
      await expect.poll(() => connection.pendingBytes).toBe(0);
      egress.flush();
    }
    await ended;
    const all = Buffer.concat(chunks);
    expect(all.toString('latin1').endsWith("\r\n-ERR 'Slow Consumer'\r\n")).toBe(true);
    // every message before it is whole
    const reader = new FrameReader();
    reader.push(all);
    expect(events.at(-1)).toBe('drained');
    expect(egress.pendingBytes).toBe(0);
    loopback.close();
  },
);

test.each([
  ['directly', false],
  ['by TLS', true],
])('what waits for a connection, written to %s, that has gone is forgotten', async (_, isSecure) => {
  const loopback = await Loopback.open(2, testDoor, () => isSecure);
  const [gone, stays] = loopback.pairs.map((pair) => pair.connection) as [
    (typeof loopback.pairs)[0]['connection'],
    (typeof loopback.pairs)[0]['connection'],
  ];
  const egress = new Egress(roomyLimits, quietEvents);
  for (const connection of [gone, stays])
    egress.deliver(connection.solo, headOf('a', '1'), messageOf('x'.repeat(1_000_000)), 0, true);
  egress.flush();
  expect(gone.pendingBytes).toBeGreaterThan(0);
  egress.deliver(gone.solo, headOf('a', '1'), messageOf('y'), 0, true);
  gone.enter('closed', 'test');
  egress.discard(gone);
  egress.flush();
  expect(egress.pendingBytes).toBe(stays.pendingBytes);
  loopback.close();
});
