import { describe, expect, test } from 'vitest';
import { portOf } from '../client/broker.js';
import { RawClient } from '../harness/rawClient.js';
import { type DoorMessage, doors, openDoors } from './everyDoor.js';

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');
const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);

/** Messages that between them have everything a message can have, in pairs that have nothing in common. */
const messages: readonly Omit<DoorMessage, 'subject'>[] = [
  {
    payload: base64('line\nline "é" \u2028'),
    key: 'key of é',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    correlationId: 'a:b, c',
    reply: 'answers.go.here',
    headers: { A: '1', 'X-Names': 'é ü', Empty: '' },
  },
  { payload: base64(everyByte) },
  { payload: '', key: '7' },
  { payload: base64('{"json":true}'), reply: 'only.a.reply' },
  { payload: base64('x'), correlationId: 'c' },
  { payload: base64('x'), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' },
  { payload: base64(Buffer.alloc(100_000, everyByte)), headers: { Large: 'yes' } },
];

describe.each([1, 4])('%i shards', (shards) => {
  test('what is said on one door is heard on every door, field by field', async () => {
    const broker = await openDoors({ shards });
    const names = Object.keys(doors);
    const clients = [];
    for (const name of names) clients.push(await doors[name]!(broker));
    const heard = names.map(() => new Map<string, DoorMessage[]>());
    for (const [i, client] of clients.entries()) {
      const take = (message: DoorMessage): void => {
        const { subject } = message;
        heard[i]!.set(subject, [...(heard[i]!.get(subject) ?? []), message]);
      };
      await client.subscribe('said.>', take, false);
    }
    const subjects = names.map((name) => `said.by.${name.replaceAll(' ', '-')}.é`);
    await Promise.all(
      clients.map(async (client, i) => {
        for (const message of messages) await client.publish({ subject: subjects[i]!, ...message });
      }),
    );
    for (const [i, name] of names.entries()) {
      for (const subject of subjects) {
        const count = (): number | undefined => heard[i]!.get(subject)?.length;
        await expect.poll(count, { message: `${name} hears ${subject}`, timeout: 45_000 }).toBe(messages.length);
        const expected = messages.map((message) => ({ subject, ...message }));
        expect(heard[i]!.get(subject), `${name} hears ${subject}`).toEqual(expected);
      }
    }
  });

  test('a header that comes twice is read alike on every door that has a field for it: the first one counts, in any case', async () => {
    const broker = await openDoors({ shards });
    const names = Object.keys(doors).filter((name) => !name.startsWith('NATS'));
    const heard = names.map(() => new Map<string, DoorMessage>());
    for (const [i, name] of names.entries()) {
      const client = await doors[name]!(broker);
      await client.subscribe('twice.*', (message) => heard[i]!.set(message.subject, message), false);
    }
    const pairs = [
      ['Shardcast-Key', 'shardcast-key'],
      ['shardcast-key', 'Shardcast-Key'],
      ['SHARDCAST-KEY', 'SHARDCAST-KEY'],
    ];
    const raw = await RawClient.connect(portOf(broker));
    for (const [i, [one, two]] of pairs.entries()) {
      const block = `NATS/1.0\r\n${one}: a\r\n${two}: b\r\ntraceparent: t\r\nTraceparent: u\r\n\r\n`;
      raw.send(`HPUB twice.${i} ${block.length} ${block.length + 1}\r\n${block}x\r\n`);
    }
    for (const [i, name] of names.entries()) {
      await expect.poll(() => heard[i]!.size, { message: name, timeout: 45_000 }).toBe(pairs.length);
      for (const message of heard[i]!.values()) expect(message, name).toMatchObject({ key: 'a', traceparent: 't' });
    }
  });
});
