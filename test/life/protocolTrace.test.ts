import { expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { webSocketClient } from '../harness/webSocketClient.js';

// What is logged is compared with nats-server's log in test/peers/protocolTrace.test.ts.

test('every door is in the log, and nothing of a client makes a line of it; SIGHUP turns it on and off', async () => {
  const ports = ['--jsonl-port', '0', '--ws-port', '0'];
  const broker = await Broker.start({ config: { trace: true }, shards: 2, args: [...ports, '--pretty'] });
  const client = await RawClient.connect(broker.port, { name: 'evil\u001b[31m\nFATAL: gone', pass: 'hunter2' });
  await client.exchange('SUB loud.\u001b[2Jx 1\r\nPUB loud.1 10\r\na\nFATAL: b\r\n');
  await broker.logged(/<<- MSG_PAYLOAD: \["a\\nFATAL: b"\]/);
  const json = await JsonClient.overTcp(broker.doorPort('jsonl'));
  await json.exchange({ command: 'AUTH', user: 'u', pass: 'hunter2' }, { command: 'PUB', topic: 'json', payload: 'j' });
  await broker.logged(/<<- \[.*"PUB","topic":"json"/);
  const web = await webSocketClient(broker.doorPort('websocket'));
  web.subscribe('web');
  web.publish('web', 'framed');
  await web.flush();
  await broker.logged(/->> \[MSG web 1 6\][\s\S]*->> MSG_PAYLOAD: \["framed"\]/);
  const lines = broker.output;
  expect(lines).not.toContain('hunter2');
  expect(lines.split('\n').filter((line) => /^\s*FATAL/.test(line))).toEqual([]);
  expect(lines).not.toContain('\u001b[');
  broker.rewriteConfig({ config: { trace: false, debug: true } });
  broker.signal('SIGHUP');
  await broker.logged(/reloaded/);
  await client.exchange('PUB quiet.1 0\r\n\r\n');
  broker.rewriteConfig({ config: { trace: true, debug: true } });
  broker.signal('SIGHUP');
  await broker.logged(/reloaded[\s\S]*reloaded/);
  await client.exchange('PUB loud.2 0\r\n\r\n');
  await broker.logged(/<<- \[PUB loud\.2 0\]/);
  expect(broker.output).not.toContain('quiet.1');
  await web.close();
});
