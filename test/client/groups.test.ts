import { codecs } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { inProcess, portOf } from './broker.js';

// Invariant 8 of docs/INVARIANTS.md.

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('members in the process and on the network share a group; several groups each get everything', async () => {
    const broker = await inProcess({ shards });
    const topic = broker.topic('w', { codec: codecs.utf8 });
    const here: string[] = [];
    const other: string[] = [];
    for (let i = 0; i < 2; i++) topic.subscribe(({ value }) => here.push(value), { group: 'g' });
    topic.subscribe(({ value }) => other.push(value), { group: 'h' });
    const nats = await client(portOf(broker));
    const { texts } = collect(nats, 'w', 'g');
    await nats.flush();
    const all = Array.from({ length: 300 }, (_, i) => `${i}`);
    for (const text of all) await topic.publish(text);
    await nats.flush();
    await expect.poll(() => [...here, ...texts].sort()).toEqual([...all].sort());
    expect(texts.length).toBe(100);
    await expect.poll(() => other.length).toBe(300);
  });

  test('messages of one key go to one member', async () => {
    const broker = await inProcess({ listen: false, shards });
    const topic = broker.topic<number>('k');
    const members: Map<string, number[]>[] = [new Map(), new Map(), new Map()];
    for (const keys of members) {
      topic.subscribe(
        ({ key, value }) => {
          keys.set(key!, [...(keys.get(key!) ?? []), value]);
        },
        { group: { name: 'g', orderedBy: 'key' } },
      );
    }
    for (let i = 0; i < 400; i++) await topic.publish(i, { key: `key${i % 40}` });
    const total = (): number => members.flatMap((keys) => [...keys.values()]).flat().length;
    await expect.poll(total).toBe(400);
    const owners = members.flatMap((keys) => [...keys.keys()]);
    expect(new Set(owners).size).toBe(owners.length);
    expect(members.every((keys) => keys.size > 0)).toBe(true);
    for (const keys of members)
      for (const values of keys.values()) expect(values).toEqual([...values].sort((a, b) => a - b));
  });

  test('prefetch bounds what is not acknowledged; what a member leaves goes to another', async () => {
    const broker = await inProcess({ listen: false, shards });
    const topic = broker.topic<number>('p');
    const held = topic.subscribe({ group: 'g', prefetch: 2 });
    for (let i = 0; i < 6; i++) await topic.publish(i);
    const first = await held.next();
    await held.next();
    const third = held.next();
    let given = false;
    third.then(() => {
      given = true;
    });
    await topic.publish(6);
    expect(given).toBe(false);
    first.value!.ack();
    first.value!.ack();
    expect((await third).value?.value).toBe(2);
    // 1 and 2 are not acknowledged, 3 to 6 were not given
    const rest: number[] = [];
    topic.subscribe(({ value }) => rest.push(value), { group: 'g' });
    await held.return();
    await expect.poll(() => [...rest].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('a queue gives each message once, to one caller', async () => {
    const broker = await inProcess({ listen: false, shards });
    const handles = [broker.queue<number>('q'), broker.queue<number>('q', { bufferCount: 3 })];
    const taken: number[] = [];
    const takers = handles.flatMap((queue) =>
      Array.from({ length: 3 }, async () => {
        for (let message = await queue.take(); message !== undefined; message = await queue.take())
          taken.push(message.value);
      }),
    );
    const all = Array.from({ length: 200 }, (_, i) => i);
    for (const value of all) await handles[value % 2]!.put(value);
    await expect.poll(() => [...taken].sort((a, b) => a - b)).toEqual(all);
    for (const queue of handles) queue.close();
    await Promise.all(takers);
  });

  test('a take that is given up loses nothing, and what waits in a closed queue goes to another', async () => {
    const broker = await inProcess({ listen: false, shards });
    const [one, two] = [broker.queue<number>('q'), broker.queue<number>('q')];
    const abort = new AbortController();
    const given = [one, two].map((queue) => queue.take({ signal: abort.signal }));
    abort.abort(new Error('enough'));
    for (const take of given) await expect(take).rejects.toThrow('enough');
    // who never takes is handed nothing
    const three = broker.queue<number>('q');
    for (let i = 0; i < 10; i++) await one.put(i);
    await expect.poll(() => one.buffered + two.buffered).toBe(10);
    expect(three.buffered).toBe(0);
    one.close();
    expect(await one.take()).toBeUndefined();
    const taken: number[] = [];
    while (taken.length < 10) taken.push((await two.take())!.value);
    expect(taken.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
