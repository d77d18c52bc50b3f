import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { tracedLinesMax } from '../../src/base/limits.js';
import type { Connection } from '../../src/gateway/connection.js';
import type { DoorReader } from '../../src/gateway/doors/door.js';
import { ProtocolLog } from '../../src/gateway/protocolLog.js';
import { natsDialect } from '../../src/protocol/natsDialect.js';

const off = { trace: false, traceVerbose: false, maxTracedMsgLen: 0 };

function connectionWith(reader: DoorReader): Connection {
  const options = { name: '', lang: '', version: '' };
  const plain = {
    id: 1,
    remoteAddress: '::1',
    remotePort: 5,
    account: 0,
    frameOpcode: 0,
    dialect: natsDialect,
    options,
  };
  return { ...plain, reader, transport: {} } as unknown as Connection;
}

test('a log that takes nothing keeps lines up to a bound, and hears how many are missing', () => {
  const reader = {
    outcome: 'incomplete',
    neededBytes: 0,
    lastWord: new Uint8Array(0),
    read: (...given: unknown[]) => given[3],
  };
  const connection = connectionWith(reader as unknown as DoorReader);
  const sent: (readonly [lines: number, dropped: number])[] = [];
  const log = new ProtocolLog({ ...off, trace: true });
  log.send = (lines, dropped) => sent.push([lines.length, dropped]);
  log.begin(connection);
  const pings = latin1Bytes('PING\r\n'.repeat(1000));
  const say = (): number => connection.reader.read(connection, pings, 0, pings.length);
  expect(log.quiet).toBe(true);
  say();
  log.doWork();
  for (let i = 0; i < 40; i++) say();
  log.doWork();
  expect(sent).toEqual([[1000, 0]]);
  log.onTaken();
  // a stop waits for these
  expect(log.quiet).toBe(false);
  log.doWork();
  expect(sent[1]).toEqual([tracedLinesMax, 40_000 - tracedLinesMax]);
  expect(log.quiet).toBe(false);
  log.onTaken();
  expect(log.quiet).toBe(true);
});

test('while it is off a connection has its own reader, before and after', () => {
  const reader = {} as DoorReader;
  const connection = connectionWith(reader);
  const log = new ProtocolLog(off);
  log.begin(connection);
  expect(connection.reader).toBe(reader);
  log.reload({ ...off, traceVerbose: true }, [connection]);
  expect(connection.reader).not.toBe(reader);
  log.reload(off, [connection]);
  expect(connection.reader).toBe(reader);
});
