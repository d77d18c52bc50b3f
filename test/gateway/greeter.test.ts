import { expect, test } from 'vitest';
import { announcedMax } from '../../src/base/limits.js';
import type { Connection } from '../../src/gateway/connection.js';
import type { Egress } from '../../src/gateway/egress.js';
import { Greeter } from '../../src/gateway/greeter.js';
import { defaultConnectOptions } from '../../src/protocol/connectOptions.js';
import type { ServerInfo } from '../../src/protocol/info.js';
import { idleConnection } from './connections.js';

// Invariant 25 of docs/INVARIANTS.md: who tells everybody tells some a turn.

function info(maxPayload: number): ServerInfo {
  return { server_id: 'x', max_payload: maxPayload } as ServerInfo;
}

function crowd(count: number): Connection[] {
  return Array.from({ length: count }, (_, i) => {
    const connection = idleConnection(i + 1);
    connection.options = { ...defaultConnectOptions, protocol: 1 };
    connection.login.onConnected();
    connection.login.onPong();
    return connection;
  });
}

test('a new INFO goes to some of a crowd a turn, to everybody in the end, and only the last one to those who have waited', async () => {
  const told = new Map<number, string[]>();
  let inTurn = 0;
  const write = ({ id }: Connection, bytes: Uint8Array) => {
    inTurn++;
    told.set(id, [...(told.get(id) ?? []), Buffer.from(bytes).toString()]);
  };
  const passed = async () => {
    await new Promise(setImmediate);
    expect(inTurn).toBeLessThanOrEqual(announcedMax);
    inTurn = 0;
  };
  const greeter = new Greeter(info(1), { write } as unknown as Egress, { passed });
  const connections = crowd(1_000);
  const first = greeter.announce(info(2), connections);
  expect(told.size).toBe(announcedMax);
  inTurn = 0;
  const second = greeter.announce(info(3), connections);
  await Promise.all([first, second]);
  for (const { id } of connections) {
    const heard = told.get(id) as string[];
    expect(heard.at(-1)).toContain('"max_payload":3');
    expect(heard).toHaveLength(id <= announcedMax ? 2 : 1);
  }
});
