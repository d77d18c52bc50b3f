import { Server } from 'node:net';
import { setImmediate } from 'node:timers';
import { afterEach, expect, test, vi } from 'vitest';
import { inProcess } from './broker.js';

afterEach(() => {
  vi.restoreAllMocks();
});

test.each(['127.0.0.1', 'localhost'])('the ports of %s open in one turn, that of NATS last', async (host) => {
  const opened: string[] = [];
  let turn = 0;
  const listen = Server.prototype.listen;
  vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...given: unknown[]) {
    setImmediate(() => turn++);
    this.once('listening', () => opened.push(`${(this.address() as { port: number }).port} ${turn}`));
    return Reflect.apply(listen, this, given) as Server;
  });
  const broker = await inProcess({ shards: 1, listen: { host, port: 0, jsonlPort: 0, wsPort: 0 } });
  const { nats, jsonl, websocket } = broker.ports;
  expect(opened).toEqual([jsonl, websocket, nats].map(([url]) => `${new URL(url!).port} 0`));
});
