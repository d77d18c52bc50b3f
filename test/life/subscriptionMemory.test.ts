import type { BrokerError, HandlerSubscription } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { inProcess, portOf } from '../client/broker.js';
import { JsonClient } from '../harness/jsonClient.js';
import { RawClient } from '../harness/rawClient.js';

// Invariant 30 of docs/INVARIANTS.md.

const mib = 1024 * 1024;
const refusal = "-ERR 'maximum subscriptions exceeded'";
const long = 'x'.repeat(3_900);

/** What one client may say to have much kept of it. */
const floods: Readonly<Record<string, (i: number) => string>> = {
  'long sids': (i) => `SUB a ${i}${long}`,
  'long group names': (i) => `SUB a ${i}${long} ${i}`,
  'long subjects': (i) => `SUB ${i}.${long} ${i}`,
  'patterns of many tokens': (i) => `SUB ${i}.*.${'a.'.repeat(1_900)}x ${i}`,
  'short subjects': (i) => `SUB s.${i} ${i}`,
};

describe.each([1, 2, 4])('%i shards', (shards) => {
  test.each(Object.entries(floods))('%s are refused above the bound, and everybody goes on', async (_, line) => {
    const broker = await inProcess({ shards, jsonlPort: 0, subscriptionMemoryBytes: mib });
    const nats = await RawClient.connect(portOf(broker));
    const answers: string[] = [];
    for (let i = 0; answers.length === 0; i += 100) {
      const lines = Array.from({ length: 100 }, (_, k) => line(i + k));
      answers.push(...(await nats.exchange(`${lines.join('\r\n')}\r\n`)));
      // four times what the bound allows of the smallest
      expect(i).toBeLessThan(5_000);
    }
    expect(new Set(answers)).toEqual(new Set([refusal]));
    expect(await nats.exchange('PUB s.0 1\r\nx\r\n')).toEqual(line(0).startsWith('SUB s.0') ? ['MSG s.0 0 | x'] : []);
  });

  test('lines of JSON are told, and there is room again when others have left', async () => {
    const broker = await inProcess({ shards, jsonlPort: 0, subscriptionMemoryBytes: mib });
    const port = Number(new URL(broker.ports.jsonl[0] as string).port);
    const json = await JsonClient.overTcp(port);
    const lines = Array.from({ length: 300 }, (_, i) => ({ command: 'SUB', topic: `${i}.${long}` }));
    expect((await json.exchange(...lines)).join()).toContain('maximum subscriptions exceeded');
    json.close();
    await expect.poll(async () => (await broker.census()).every(({ interest }) => interest === 0)).toBe(true);
    expect(await (await JsonClient.overTcp(port)).exchange({ command: 'SUB', topic: 'a' })).toEqual([]);
  });

  test('the process is told by an error, and has room again when subscriptions have ended', async () => {
    const broker = await inProcess({ shards, listen: false, subscriptionMemoryBytes: mib });
    const subscriptions: HandlerSubscription[] = [];
    const fill = () => {
      for (let i = 0; i < 1_000; i++) subscriptions.push(broker.topic(`${i}.${long}`).subscribe(() => {}));
    };
    expect(fill).toThrow(expect.objectContaining({ code: 'TOO_MANY' } satisfies Partial<BrokerError>));
    expect(subscriptions.length).toBeGreaterThan(100);
    subscriptions.pop()?.unsubscribe();
    expect(() => broker.topic('p').subscribe(() => {})).not.toThrow();
  });
});
