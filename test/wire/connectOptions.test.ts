import { describe, expect, test } from 'vitest';
import { RawClient, talk, talkUntilClosed } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours } from '../harness/target.js';

const server = useBroker();

/** A CONNECT exactly as written: `talk` would add the options of a quiet client. */
async function first(line: string, then = ''): Promise<string[]> {
  return (await RawClient.open(server.port)).exchange(`${line}\r\n${then}`);
}

async function firstUntilClosed(line: string): Promise<string[]> {
  const client = await RawClient.open(server.port);
  client.send(`${line}\r\nPING\r\n`);
  return client.expectClosed();
}

test('verbose answers every operation but PING and PONG with +OK', async () => {
  const replies = await first(
    'CONNECT {"verbose":true}',
    'SUB a 1\r\nUNSUB 9\r\nUNSUB 1 5\r\nPUB b 1\r\nx\r\nPONG\r\n',
  );
  expect(replies).toEqual(['+OK', '+OK', '+OK', '+OK', '+OK']);
});

test('verbose is the default of an empty CONNECT', async () => {
  expect(await first('CONNECT {}', 'SUB a 1\r\n')).toEqual(['+OK', '+OK']);
});

test('null is an empty CONNECT', async () => {
  expect(await first('CONNECT null')).toEqual(['+OK']);
});

test('a refused SUB has -ERR in place of its +OK', async () => {
  expect(await first('CONNECT {"verbose":true}', 'SUB a..b 1\r\n')).toEqual(['+OK', "-ERR 'Invalid Subject'"]);
});

test('verbose false answers nothing', async () => {
  expect(await first('CONNECT {"verbose":false}', 'SUB a 1\r\nUNSUB 1\r\nPUB a 1\r\nx\r\n')).toEqual([]);
});

test.each(['foo.*', '>', 'a..b', '.a', 'a.'])('pedantic refuses to publish to %s', async (subject) => {
  expect(await talk(server.port, `PUB ${subject} 1\r\nx\r\n`, { pedantic: true })).toEqual([
    "-ERR 'Invalid Publish Subject'",
  ]);
});

test('pedantic is the default', async () => {
  expect(await first('CONNECT {"verbose":false}', 'PUB foo.* 1\r\nx\r\n')).toEqual(["-ERR 'Invalid Publish Subject'"]);
});

test('without pedantic a bad publish subject is not an error', async () => {
  expect(await talk(server.port, 'PUB foo.* 1\r\nx\r\nPUB a..b 1\r\nx\r\n')).toEqual([]);
});

test('pedantic takes * and > as literals inside a token', async () => {
  expect(await talk(server.port, 'SUB fo* 1\r\nPUB fo* 1\r\nx\r\n', { pedantic: true })).toEqual(['MSG fo* 1 | x']);
});

ours('a publish refused by pedantic reaches nobody (nats-server says the error and delivers)', async () => {
  const replies = await talk(server.port, 'SUB foo.* 1\r\nPUB foo.* 1\r\nx\r\n', { pedantic: true });
  expect(replies).toEqual(["-ERR 'Invalid Publish Subject'"]);
});

test('echo true: a connection receives what it publishes', async () => {
  expect(await talk(server.port, 'SUB a 1\r\nPUB a 1\r\nx\r\n')).toEqual(['MSG a 1 | x']);
});

test('echo false: it does not, and others do', async () => {
  const other = await RawClient.connect(server.port);
  await other.exchange('SUB a 7\r\n');
  expect(await talk(server.port, 'SUB a 1\r\nPUB a 1\r\nx\r\n', { echo: false })).toEqual([]);
  expect(await other.exchange()).toEqual(['MSG a 7 | x']);
});

test('lang, version, name, protocol 0 and 1, and unknown options are accepted', async () => {
  const options = { name: 'n', lang: 'x', version: '9', protocol: 1, unknown: { a: [1] }, verbose: false };
  expect(await first(`CONNECT ${JSON.stringify(options)}`)).toEqual([]);
  expect(await first('CONNECT {"verbose":false,"protocol":0}')).toEqual([]);
});

test('CONNECT may be repeated and sets what it names', async () => {
  expect(await talk(server.port, 'CONNECT {"verbose":true}\r\nSUB a 1\r\n')).toEqual(['+OK', '+OK']);
});

test.each(['2', '-1'])('protocol %s is refused', async (protocol) => {
  expect(await firstUntilClosed(`CONNECT {"verbose":false,"protocol":${protocol}}`)).toEqual([
    "-ERR 'invalid client protocol'",
  ]);
});

test.each(['"headers":false,', ''])('no_responders needs headers (%s)', async (headers) => {
  expect(await firstUntilClosed(`CONNECT {"verbose":false,${headers}"no_responders":true}`)).toEqual([
    "-ERR 'no responders requires headers support'",
  ]);
});

describe('a CONNECT that cannot be read closes the connection', () => {
  const bad = [
    'CONNECT',
    'CONNECT {"verbose":',
    'CONNECT []',
    'CONNECT 5',
    'CONNECT "x"',
    'CONNECT {"verbose":"yes"}',
    'CONNECT {"user":5}',
    'CONNECT {"protocol":"1"}',
    'CONNECT {"verbose":false} x',
  ];
  test.each(bad)('%s', async (line) => {
    expect((await firstUntilClosed(line)).filter((reply) => !reply.startsWith('-ERR'))).toEqual([]);
  });
  ours.each(bad)('%s: and says why', async (line) => {
    const text = line === 'CONNECT' ? 'Unknown Protocol Operation' : 'Parser Error';
    expect(await firstUntilClosed(line)).toEqual([`-ERR '${text}'`]);
  });
});

test('HPUB on a connection without headers closes it', async () => {
  const bytes = 'HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n';
  const replies = await talkUntilClosed(server.port, bytes, { headers: false, no_responders: false });
  expect(replies.filter((reply) => !reply.startsWith('-ERR'))).toEqual([]);
});

ours.each([
  ['headers', 'HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n'],
  ['headers of no bytes', 'HPUB a r 0 2\r\nhi\r\n'.repeat(3)],
])('HPUB on a connection without headers is told why: %s', async (_, bytes) => {
  expect(await talkUntilClosed(server.port, bytes, { headers: false, no_responders: false })).toEqual([
    "-ERR 'message headers not supported'",
  ]);
});
