import bcrypt from 'bcrypt';
import { describe, expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { connectLine, RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';

const user = 'me';
const pass = 'secret';
const doors = ['--jsonl-port', '0', '--ws-port', '0'];
/** One comparison takes some tenths of a second: all of the wrong ones take far longer than the timeout. */
const slowHash = bcrypt.hashSync(pass, 11);
const wrongLogins = 500;
const timeoutS = 15;

function start(shards: number, password: string): Promise<Broker> {
  return Broker.start({ shards, config: { authorization: { user, password, timeout: timeoutS } }, args: doors });
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('whoever has the right password comes in beside hundreds of wrong ones, by every door', async () => {
    const broker = await start(shards, slowHash);
    const wrong = await Promise.all(Array.from({ length: wrongLogins }, () => RawClient.open(broker.port)));
    for (const [i, client] of wrong.entries()) client.send(connectLine({ user, pass: `wrong ${i}` }));
    expect(await (wrong[0] as RawClient).expectClosed()).toEqual(["-ERR 'Authorization Violation'"]);
    await RawClient.connect(broker.port, { user, pass });
    const jsonLines = await JsonClient.overTcp(broker.doorPort('jsonl'));
    const webSocket = await JsonClient.overWebSocket(broker.doorPort('websocket'));
    for (const client of [jsonLines, webSocket])
      expect(await client.exchange({ command: 'AUTH', user, pass, id: 1 })).toEqual(['{"ok":true,"id":1}']);
    await broker.kill();
  });
});
