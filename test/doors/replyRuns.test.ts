import { EventEmitter, once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { shardCounts } from '../harness/target.js';
import { type DoorClient, type DoorMessage, doors, openDoors } from './everyDoor.js';

// Invariant 36 of docs/INVARIANTS.md.

const count = 700;
const block = (i: number): string => `NATS/1.0\r\nN: ${'n'.repeat(i % 9)}${i}\r\n\r\n`;

/** What a publisher of requests writes at once: the broker reads it as runs. */
function requests(subject: string, withHeaders: boolean): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const payload = `${'p'.repeat(i % 5)}${i}`;
    if (!withHeaders) return `PUB ${subject} r.${i} ${payload.length}\r\n${payload}\r\n`;
    const headers = block(i);
    return `HPUB ${subject} r.${i} ${headers.length} ${headers.length + payload.length}\r\n${headers}${payload}\r\n`;
  });
  return lines.join('');
}

function expected(subject: string, withHeaders: boolean): DoorMessage[] {
  return Array.from({ length: count }, (_, i) => ({
    subject,
    payload: Buffer.from(`${'p'.repeat(i % 5)}${i}`).toString('base64'),
    reply: `r.${i}`,
    ...(withHeaders ? { headers: { N: `${'n'.repeat(i % 9)}${i}` } } : {}),
  }));
}

/** Subscribes; what the client then gets, once it is as many as were sent. */
async function collect(door: DoorClient, subject: string): Promise<{ readonly all: Promise<DoorMessage[]> }> {
  const messages: DoorMessage[] = [];
  const whole = new EventEmitter();
  const all = once(whole, 'whole').then(() => messages);
  await door.subscribe(subject, (message) => void (messages.push(message) === count && whole.emit('whole')), false);
  return { all };
}

describe.each(shardCounts)('%i shards', (shards) => {
  test.each(Object.keys(doors))(
    'requests that come as a run keep their replies, headers and payloads: %s',
    async (name) => {
      await using broker = await openDoors({ shards });
      const publisher = await RawClient.connect(Number(new URL(broker.ports.nats[0]!).port));
      const door = await doors[name]!(broker);
      for (const withHeaders of [false, true]) {
        const subject = withHeaders ? 'svc.h' : 'svc.p';
        const { all } = await collect(door, subject);
        await publisher.exchange(requests(subject, withHeaders));
        // fields that a message does not have may be there without a value
        const seen = JSON.parse(JSON.stringify(await all)) as unknown;
        expect(seen).toEqual(expected(subject, withHeaders));
      }
    },
  );

  test('each request of a run that nobody takes is answered so, on its own reply', async () => {
    await using broker = await openDoors({ shards });
    const client = await RawClient.connect(Number(new URL(broker.ports.nats[0]!).port));
    const answers = await client.exchange(`SUB r.* 1\r\n${requests('nobody', false)}`);
    expect(answers.map((answer) => /^MSG (r\.\d+) 1 .*503/s.exec(answer)?.[1])).toEqual(
      Array.from({ length: count }, (_, i) => `r.${i}`),
    );
  });

  test('members of a group get each request of a run once, with its own reply', async () => {
    await using broker = await openDoors({ shards });
    const port = Number(new URL(broker.ports.nats[0]!).port);
    const members = await Promise.all(Array.from({ length: 3 }, () => RawClient.connect(port)));
    for (const member of members) await member.exchange('SUB svc group 1\r\n');
    const publisher = await RawClient.connect(port);
    await publisher.exchange(requests('svc', true));
    const seen = (await Promise.all(members.map((member) => member.exchange()))).flat();
    const replies = seen.map((line) => / r\.(\d+)/.exec(line)?.[1]).map(Number);
    expect(replies.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(new Set(seen).size).toBe(count);
  });
});
