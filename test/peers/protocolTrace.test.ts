import { expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { isTooOld, tooOld } from './peerVersion.js';

// docs/PROTOCOL.md lists what differs.

const said = [
  'sub foo 1',
  'SUB foo workers 2',
  'PUB foo 5\r\nhello',
  'PUB foo _INBOX.x 2\r\na"',
  'PUB   foo   0 \r\n',
  `PUB foo 40\r\n${'long '.repeat(8)}`,
  'HPUB foo 18 24\r\nNATS/1.0\r\nA: 1\r\n\r\nhe\r\nx\u0001',
  'PUB nobody 6\r\n\u00e2\u0082\u00ac\u00ff\u007f\\',
  'UNSUB 2 5',
  'UNSUB 1',
  'PING',
  'PUB foo..x 1\r\na',
];

/** What the log says of the connection, without its address and number. */
function linesOf(output: string): { readonly incoming: string[]; readonly outgoing: string[] } {
  const texts = output.split('\n').map((line) => {
    if (line.startsWith('{')) {
      const { level, msg } = JSON.parse(line) as { level: number; msg: string };
      return level === 10 ? msg : '';
    }
    return /\[TRC\] (.*)$/.exec(line)?.[1] ?? '';
  });
  const ofClient = texts.filter((text) => text.startsWith('127.0.0.1:') && !text.includes('DELSUB'));
  const shown = ofClient.map((text) => text.replace(/^127\.0\.0\.1:\d+ - cid:\d+/, 'client'));
  return {
    incoming: shown.filter((text) => text.includes('<<-')),
    outgoing: shown.filter((text) => text.includes('->>')),
  };
}

async function logOf(oracle: boolean): Promise<ReturnType<typeof linesOf> | null> {
  const broker = await Broker.start({ oracle, config: { debug: true, trace: true, max_traced_msg_len: 30 } });
  const client = await RawClient.open(broker.port);
  const { version } = await client.info();
  if (oracle && isTooOld(version)) {
    client.close();
    await broker.stop();
    return null;
  }
  const connect = {
    verbose: false,
    headers: true,
    user: 'ann',
    pass: 'secret',
    auth_token: 'secret',
    lang: 'node',
    version: '1.0',
    name: 'a"b',
  };
  await client.exchange(`CONNECT ${JSON.stringify(connect)}\r\n`);
  for (const operation of said) await client.exchange(Buffer.from(`${operation}\r\n`, 'latin1'));
  // what it answers may be written to the client before it is in the log
  await broker.logged(/Invalid Publish Subject.*\[PONG\]/s);
  client.close();
  await broker.stop();
  return linesOf(broker.output);
}

test('the protocol is in the log as in that of nats-server', async ({ skip }) => {
  const [theirs, ours] = await Promise.all([logOf(true), logOf(false)]);
  if (theirs === null) skip(tooOld);
  expect(theirs!.incoming.length).toBeGreaterThan(said.length);
  expect(ours).toEqual(theirs);
});
