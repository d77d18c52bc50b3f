import { describe, expect, test } from 'vitest';
import { RawClient, talk } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { isOracle, ours, shardCounts } from '../harness/target.js';

// Invariant 26 of docs/INVARIANTS.md.

const violation = (reply: string): string => `-ERR 'Permissions Violation for Publish with Reply of "${reply}"'`;
/** 2.9, which Debian has, knows one of them. */
const reserved = isOracle ? ['_R_.x'] : ['_R_.x', '_R_.', '$JS.ACK.s.c.1', '_GR_.x.y', '$GR.x', '$SHARDCAST.SUB'];
const allowed = [
  '$JS.ACK',
  '_R_',
  '_R_x',
  '$JS.ACKx',
  '$js.ack.x',
  '$SYS.x',
  '$JS.API.x',
  '_INBOX.x',
  '_',
  '$',
  'R_.x',
];
const block = 'NATS/1.0\r\n\r\n';

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  test.each(reserved)('a message with the reply %s reaches nobody, and its publisher is told', async (reply) => {
    const service = await RawClient.connect(server.port);
    await service.exchange('SUB svc 1\r\n');
    const lines = `PUB svc ${reply} 1\r\nx\r\nHPUB svc ${reply} 12 13\r\n${block}x\r\nPUB svc 1\r\ny\r\n`;
    expect(await talk(server.port, lines)).toEqual([violation(reply), violation(reply)]);
    expect(await service.exchange()).toEqual(['MSG svc 1 | y']);
  });

  test('in verbose mode it is not acknowledged', async () => {
    const replies = await talk(server.port, 'PUB svc _R_.x 1\r\nx\r\n', { verbose: true });
    expect(replies).toEqual([violation('_R_.x')]);
  });

  test('what only looks like one is passed on', async () => {
    const lines = allowed.map((reply) => `PUB svc ${reply} 0\r\n\r\n`).join('');
    const seen = await talk(server.port, `SUB svc 1\r\n${lines}`, { no_responders: false });
    expect(seen).toEqual(allowed.map((reply) => `MSG svc 1 ${reply} | `));
  });

  test('the subjects themselves may be published to', async () => {
    expect(await talk(server.port, 'SUB $JS.ACK.> 1\r\nPUB $JS.ACK.x 1\r\n!\r\n')).toEqual(['MSG $JS.ACK.x 1 | !']);
  });

  ours('a request to the broker itself cannot be answered there either', async () => {
    const wish = '{"policy":"drop-old"}';
    const lines = `PUB $SHARDCAST.SUB $SHARDCAST.SUB ${wish.length}\r\n${wish}\r\n`;
    expect(await talk(server.port, lines)).toEqual([violation('$SHARDCAST.SUB')]);
  });
});
