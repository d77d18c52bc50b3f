import { describe, expect, test } from 'vitest';
import { deliveryOptionsPerConnectionMax } from '../../src/base/limits.js';
import { JsonClient } from '../harness/jsonClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { ask, publication, request } from './slowSubscriber.js';

const wish = '{"subject":"a","policy":"drop-old"}';

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards, args: ['--jsonl-port', '0'] });
  const connect = (options = {}): Promise<RawClient> => RawClient.connect(server.port, options);

  test('what is asked is seen by nobody else', async () => {
    const [asking, other] = await Promise.all([connect(), connect()]);
    await other.exchange('SUB > 1\r\n');
    await ask(asking, { subject: 'a', policy: 'drop-old' });
    expect(await asking.exchange(publication('$SHARDCAST.SUB', wish))).toEqual([]);
    expect(await other.exchange('PUB last 0\r\n\r\n')).toEqual(['MSG last 1 | ']);
  });

  test('what makes no sense is told, and changes nothing', async () => {
    const client = await connect();
    expect(await client.exchange(publication('$SHARDCAST.SUB', '[]'))).toEqual([
      "-ERR 'Invalid Wish: it must be a JSON object'",
    ]);
    expect(await request(client, '{"subject":"a","polisy":"block"}')).toBe('{"error":"unknown field \\"polisy\\""}');
    expect(await client.exchange('SUB a 1\r\nPUB a 1\r\nx\r\n')).toEqual(['MSG a 1 | x']);
  });

  test('what an error repeats is what the client wrote, on one line', async () => {
    const client = await connect();
    // one character a byte, it would end the line
    const name = 'caf\u00e9 \u010a\u010d';
    const text = `Invalid Wish: unknown field "${name}"`;
    const asking = Buffer.from(JSON.stringify({ [name]: 1 }));
    client.send(`PUB $SHARDCAST.SUB ${asking.length}\r\n`);
    const told = await client.exchange(Buffer.concat([asking, Buffer.from('\r\n')]));
    expect(told).toEqual([`-ERR '${Buffer.from(text).toString('latin1')}'`]);
    const json = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const wish = { command: 'PUB', topic: '$SHARDCAST.SUB', payload: asking.toString() };
    expect(await json.exchange(wish)).toEqual([JSON.stringify({ error: text })]);
    const reply = `_R_.${name.slice(0, 4)}`;
    expect(await json.exchange({ command: 'PUB', topic: 'a', payload: '', reply })).toEqual([
      JSON.stringify({ error: `Permissions Violation for Publish with Reply of "${reply}"` }),
    ]);
    expect(await json.exchange({ command: name })).toEqual([expect.stringContaining('command must be one of')]);
    expect(await json.exchange({ command: 'PING', [name]: 1 })).toEqual([
      expect.stringContaining(JSON.stringify(`PING has no field "${name}"`).slice(1, -1)),
    ]);
  });

  test('CONNECT asks for the whole connection', async () => {
    const client = await connect({ shardcast: { policy: 'conflate', notice: true } });
    expect(await client.exchange('SUB a 1\r\nPUB a 1\r\nx\r\n')).toEqual(['MSG a 1 | x']);
    expect(await client.exchange('CONNECT {"shardcast":{"policy":"wait"}}\r\n')).toEqual([
      "-ERR 'Invalid Wish: policy must be one of disconnect, drop-new, drop-old, block, conflate'",
    ]);
  });

  test('in verbose mode every request is acknowledged, as every publish is', async () => {
    const client = await connect({ verbose: true });
    const asking = publication('$SHARDCAST.SUB', wish);
    expect(await client.exchange(`${asking}${asking}SUB a 1\r\n`)).toEqual(['+OK', '+OK', '+OK']);
  });

  test('a client of JSON lines that asks by a publish is answered too', async () => {
    const client = await JsonClient.overTcp(server.broker.doorPort('jsonl'));
    const asking = { command: 'PUB', topic: '$SHARDCAST.SUB' };
    expect(
      await client.exchange({ ...asking, payload: wish, id: 1 }, { ...asking, payload: '1', id: 'second' }),
    ).toEqual(['{"ok":true,"id":1}', '{"error":"Invalid Wish: it must be a JSON object","id":"second"}']);
  });

  test('there is a bound on what one connection asks for, and what is taken back makes room', async () => {
    const client = await connect();
    let all = '';
    for (let i = 0; i < deliveryOptionsPerConnectionMax; i++)
      all += publication('$SHARDCAST.SUB', wish.replace('"a"', `"a.${i}"`));
    expect(await client.exchange(all)).toEqual([]);
    expect(await request(client, wish)).toBe('{"error":"too many wishes on one connection"}');
    expect(await request(client, '{"subject":"a.7"}')).toBe('{"ok":true}');
    expect(await request(client, wish)).toBe('{"ok":true}');
  });
});
