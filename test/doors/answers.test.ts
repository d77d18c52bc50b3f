import { describe, expect, test } from 'vitest';
import { portOf } from '../client/broker.js';
import { RawClient } from '../harness/rawClient.js';
import { type DoorClient, type DoorMessage, doors, openDoors } from './everyDoor.js';

// Invariant 43 of docs/INVARIANTS.md.

const each = 5;
const text = ({ payload }: DoorMessage) => Buffer.from(payload, 'base64').toString();
const base64 = (payload: string) => Buffer.from(payload).toString('base64');

/** Answers what is asked at a subject. */
async function serve(door: DoorClient, subject: string): Promise<void> {
  await door.subscribe(
    subject,
    (request) => void door.publish({ subject: request.reply!, payload: base64(`${subject} ${text(request)}`) }),
    false,
  );
}

/** Asks every service several times; resolves with what came at which address, in order of the addresses, when all have answered. */
async function ask(door: DoorClient, inbox: string, last: string, services: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  const all = new Promise<void>((resolve) => {
    void door
      .subscribe(
        `${inbox}.${last}`,
        (answer) => {
          if (answers.push(`${answer.subject} ${text(answer)}`) === each * services.length) resolve();
        },
        false,
      )
      .then(async () => {
        for (let i = 0; i < each; i++)
          for (const [j, subject] of services.entries())
            await door.publish({ subject, payload: base64(`${i}`), reply: `${inbox}.${j}-${i}` });
      });
  });
  await all;
  return answers.sort();
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('who asks at any door is answered from every other, once, at the address that it named', async () => {
    const broker = await openDoors({ shards });
    const spy = await RawClient.connect(portOf(broker));
    await spy.exchange('SUB > 1\r\n');
    const names = Object.keys(doors);
    const services = names.map((_, i) => `service.${i}`);
    for (const [i, name] of names.entries()) await serve(await doors[name]!(broker), services[i]!);
    const expected: string[] = [];
    for (const [i, name] of names.entries()) {
      const inbox = `my.own.${i}`;
      const answers = services.flatMap((service, j) =>
        Array.from({ length: each }, (_, k) => `${inbox}.${j}-${k} ${service} ${k}`),
      );
      expect(await ask(await doors[name]!(broker), inbox, i % 2 === 0 ? '*' : '>', services), name).toEqual(
        answers.sort(),
      );
      expected.push(...answers);
    }
    const seen = (await spy.exchange()).flatMap(
      (line) => /^MSG (my\.\S+) 1 \| (.*)$/.exec(line)?.slice(1).join(' ') ?? [],
    );
    expect(seen.sort()).toEqual(expected.sort());
  });

  test('what is answered at addresses of one inbox is no topic each, and comes in the order of who answers', async () => {
    const broker = await openDoors({ shards });
    const asker = await RawClient.connect(portOf(broker));
    const services = await Promise.all([0, 1, 2, 3].map(() => RawClient.connect(portOf(broker))));
    await asker.exchange('SUB mine.1.* 1\r\n');
    for (const service of services) await service.exchange('SUB ask 1\r\n');
    await asker.exchange('PUB ask mine.1.0 0\r\n\r\n');
    const count = 5_000;
    for (const [i, service] of services.entries())
      service.send(Array.from({ length: count }, (_, j) => `PUB mine.1.${i}-${j} 1\r\nx\r\n`).join(''));
    for (const service of services) await service.exchange();
    const got = (await asker.exchange()).map((line) =>
      /^MSG mine\.1\.(\d)-(\d+) 1 \| x$/.exec(line)!.slice(1).map(Number),
    );
    for (const [i] of services.entries())
      expect(got.filter(([from]) => from === i).map(([, number]) => number)).toEqual(
        Array.from({ length: count }, (_, j) => j),
      );
    const topics = (await broker.census()).reduce((sum, shard) => sum + shard.topics, 0);
    expect(topics).toBeLessThan(50);
  });

  test.each([
    ['a', 'a', 'a'],
    ['own.*', 'own.1', 'own.2'],
    ['own.>', 'own.1', 'own.1'],
  ])('who takes %s by itself, and publishes to %s with %s as the reply, gets it', async (pattern, subject, reply) => {
    const broker = await openDoors({ shards });
    const client = await RawClient.connect(portOf(broker));
    expect(await client.exchange(`SUB ${pattern} 1\r\nPUB ${subject} ${reply} 1\r\nx\r\n`)).toEqual([
      `MSG ${subject} 1 ${reply} | x`,
    ]);
  });
});
