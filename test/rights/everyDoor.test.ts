import { once } from 'node:events';
import net from 'node:net';
import { type Broker, codecs } from 'shardcast';
import { beforeEach, describe, expect, test } from 'vitest';
import { connected } from '../harness/connected.js';
import { DoorLink, type SocketDoor, socketDoors } from '../harness/doorLink.js';
import { JsonClient } from '../harness/jsonClient.js';
import { RawClient } from '../harness/rawClient.js';
import { closeAfterTest, useResident } from '../harness/residents.js';
import { freeUser, limited } from './denied.js';

// Invariant 38 of docs/INVARIANTS.md.

const shardUrl = new URL('../../dist/test/rights/rightsThread.js', import.meta.url);
const text = { codec: codecs.utf8 };
const violation = (what: string) => `Permissions Violation for ${what}`;

/** What a door said, without what JSON puts before a quote. */
function plain(said: string): string {
  return said.replaceAll('\\', '');
}

function countOf(said: string, part: string): number {
  return plain(said).split(part).length - 1;
}

function request(door: SocketDoor, topic: string, reply: string, payload: string): string {
  if (door.startsWith('jsonl')) return `${JSON.stringify({ command: 'PUB', topic, reply, payload })}\n`;
  return `PUB ${topic} ${reply} ${payload.length}\r\n${payload}\r\n`;
}

/** Closed after the test where that has failed before it came to it: the next one waits for nobody. */
async function open(broker: Broker, door: SocketDoor): Promise<DoorLink> {
  const link = await DoorLink.open(broker, door);
  closeAfterTest(async () => {
    if (!link.closed) await link.destroy();
  });
  return link;
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  const resident = useResident({ shards, lastValue: ['kept.>'] }, shardUrl);
  let broker: Broker;
  let free: RawClient;
  const portOf = (urls: readonly string[]) => Number(new URL(urls[0]!).port);
  beforeEach(async () => {
    ({ broker } = resident);
    free = await RawClient.connect(portOf(broker.ports.nats), { user: freeUser });
  });

  describe.each(socketDoors)('%s', (door) => {
    test('what may not be published reaches nobody, and each of it is told', async () => {
      await free.exchange('SUB yes.* 1\r\nSUB no.* 1\r\nSUB _INBOX.> 2\r\n');
      const link = await open(broker, door);
      const messages = ['no.a', 'no.a', 'yes.a', 'no.b', 'yes.a', 'no.a', 'yes.b'];
      const said = await link.exchange(messages.map((subject, i) => link.publish(subject, `${i}`)).join(''));
      expect(countOf(said, violation('Publish to "no.a"'))).toBe(3);
      expect(countOf(said, violation('Publish to "no.b"'))).toBe(1);
      expect((await free.exchange()).sort()).toEqual(['MSG yes.a 1 | 2', 'MSG yes.a 1 | 4', 'MSG yes.b 1 | 6']);
      // nor do requests, to services either, or replies: there are no statuses either
      await link.exchange(link.subscribe({ topic: 'answers.*' }));
      for (const topic of ['no.svc', 'no.body', '$TEST.REQ.STORE.a', '$SHARDCAST.SUB']) {
        const told = await link.exchange(request(door, topic, 'answers.a', '{}'));
        expect(plain(told)).toContain(violation(`Publish to "${topic}"`));
        expect(told).not.toContain('answers.a');
      }
      expect(plain(await link.exchange(link.publish('_INBOX.no.x', 'hi')))).toContain(
        violation('Publish to "_INBOX.no.x"'),
      );
      expect(await free.exchange()).toEqual([]);
      free.send('PUB $TEST.REQ.STORE.a _INBOX.free 2\r\nhi\r\n');
      const [answer] = await free.messages(1);
      expect(JSON.parse(answer!.payload.toString())).toMatchObject({ subject: '$TEST.REQ.STORE.a', asked: 'hi' });
      // a service may be asked, but its answer does not come where nobody may receive it
      await link.exchangeKeeping(request(door, '$TEST.REQ.INFO', 'answers.secret', ''));
      await link.exchangeKeeping(request(door, '$TEST.REQ.INFO', 'answers.open', ''));
      const at = await link.find('answers.open');
      expect(link.received.slice(0, at)).not.toContain('answers.secret');
      await link.destroy();
    });

    test('what may not be subscribed to is not, and what may not be received comes by no subscription, nor as a last value', async () => {
      const kept = `kept.${door}`;
      const link = await open(broker, door);
      const wanted = [{ topic: 'no.a' }, { topic: 'yes.a', group: 'strangers' }, { topic: 'yes.b', group: 'friends' }];
      const said = plain(await link.exchange(wanted.map((each) => link.subscribe(each)).join('')));
      expect(said).toContain(violation('Subscription to "no.a"'));
      expect(said).toContain(violation('Subscription to "yes.a" using queue "strangers"'));
      expect(said).not.toContain('yes.b');
      await free.exchange('PUB no.a 1\r\n1\r\nPUB yes.a 1\r\n2\r\nPUB yes.b 1\r\n3\r\n');
      const yesAt = await link.find('yes.b');
      expect(link.received.slice(0, yesAt)).not.toMatch(/no\.a|yes\.a/);
      await free.exchange(`PUB ${kept}.secret 1\r\n1\r\nPUB ${kept}.open 1\r\n2\r\n`);
      const subscriptions = [
        { topic: 'all.*' },
        { topic: 'all.>', group: 'g' },
        { topic: 'all.*', wish: { policy: 'drop-old' } },
        { topic: `${kept}.*`, wish: { last: true } },
      ];
      if (!door.startsWith('jsonl'))
        // what asks for policies is a publish that is forbidden
        for (const each of subscriptions) delete (each as { wish?: object }).wish;
      await link.exchange(subscriptions.map((each) => link.subscribe(each)).join(''));
      for (let i = 0; i < 3; i++) await free.exchange('PUB all.secret 1\r\ns\r\nPUB all.open 1\r\no\r\n');
      await free.exchange(`PUB all.end 3\r\nend\r\nPUB ${kept}.secret 1\r\n3\r\nPUB ${kept}.end 1\r\n4\r\n`);
      await link.find(`${kept}.end`);
      expect(link.received).not.toContain('secret');
      expect(countOf(link.received, 'all.open')).toBe(door.startsWith('jsonl') ? 6 : 9);
      await link.destroy();
    });
  });

  test('a group whose members here may not receive a message does not get it, whatever they have in flight', async () => {
    const member = await JsonClient.overTcp(portOf(broker.ports.jsonl));
    const json = { command: 'FORMAT', format: 'json' };
    const jobs = { command: 'SUB', topic: 'jobs.*', group: 'g', prefetch: 2 };
    expect(await member.exchange(json, jobs)).toEqual([]);
    for (let i = 0; i < 5; i++) await free.exchange('PUB jobs.secret 1\r\ns\r\n');
    await free.exchange('PUB jobs.open 1\r\n1\r\nPUB jobs.open 1\r\n2\r\nPUB jobs.open 1\r\n3\r\n');
    const [first, second] = (await member.take(2)).map((line) => JSON.parse(line) as { delivery: number });
    member.send({ command: 'ACK', delivery: first!.delivery });
    const [third] = await member.take(1);
    expect([first, second, JSON.parse(third!)]).toMatchObject(
      ['1', '2', '3'].map((payload) => ({ topic: 'jobs.open', payload })),
    );
  });

  test('a dead letter is published with the rights that its member has then, and keeps nobody from the next message', async () => {
    const [member, reader] = [1, 2].map(() => JsonClient.overTcp(portOf(broker.ports.jsonl)));
    const [one, dead] = [await member!, await reader!];
    const as = (user: string) => ({ command: 'AUTH', user });
    const json = { command: 'FORMAT', format: 'json' };
    const jobs = { command: 'SUB', topic: 'jobs', group: 'dead', prefetch: 1, deadLetter: 'no.dead' };
    expect(await one.exchange(json, jobs)).toEqual([
      expect.stringContaining(JSON.stringify(violation('Publish to "no.dead"')).slice(1, -1)),
    ]);
    // what is published to a group is nobody's before it has a member
    expect(await one.exchange(as(freeUser), jobs)).toEqual([]);
    expect(await dead.exchange(as(freeUser), json, { command: 'SUB', topic: 'no.dead' })).toEqual([]);
    await free.exchange('PUB jobs 1\r\n1\r\nPUB jobs 1\r\n2\r\nPUB jobs 1\r\n3\r\n');
    await one.take(1);
    one.send({ command: 'TERM', delivery: 1 });
    expect(JSON.parse((await dead.take(1))[0]!)).toMatchObject({ topic: 'no.dead', payload: '1' });
    await one.take(1);
    one.send(as('other'), { command: 'TERM', delivery: 2 });
    expect(JSON.parse((await one.take(1))[0]!)).toMatchObject({ payload: '3', delivery: 3 });
    expect(await dead.exchange()).toEqual([]);
    await one.exchange({ command: 'ACK', delivery: 3 });
  });

  test('what a policy drops is published with the rights that its subscriber has then', async () => {
    const slow = net.connect(portOf(broker.ports.jsonl), '127.0.0.1');
    const dead = await JsonClient.overTcp(portOf(broker.ports.jsonl));
    const said = async (...commands: object[]) => {
      slow.write(commands.map((each, id) => `${JSON.stringify({ ...each, id })}\n`).join(''));
      let text = '';
      while (!text.includes(`"id":${commands.length - 1}`)) text += `${((await once(slow, 'data')) as [Buffer])[0]}`;
      return text;
    };
    const as = (user: string) => ({ command: 'AUTH', user });
    const policy = { policy: 'drop-new', maxMessages: 1, deadLetter: 'no.dead', notice: false };
    const quotes = { command: 'SUB', topic: 'quotes.*', ...policy };
    expect(plain(await said(quotes))).toContain(violation('Publish to "no.dead"'));
    expect(await said(as(freeUser), quotes, as('other'))).not.toContain('error');
    expect(await dead.exchange(as(freeUser), { command: 'SUB', topic: 'no.dead' })).toEqual([]);
    slow.pause();
    const flood = `PUB quotes.a 50000\r\n${'.'.repeat(50_000)}\r\n`.repeat(10);
    const denied = async () => (await broker.stats()).deadLetters.denied;
    while ((await denied()) === 0) await free.exchange(flood);
    expect(await dead.exchange()).toEqual([]);
    slow.destroy();
  });

  test('who logs in anew has the rights that come with that', async () => {
    const client = await RawClient.connect(portOf(broker.ports.nats));
    const asks = 'PUB no.a 1\r\nx\r\nPUB all.secret 1\r\ny\r\nPUB no.a 1\r\nz\r\n';
    const refused = `-ERR '${violation('Publish to "no.a"')}'`;
    expect(await client.exchange(`SUB all.* 1\r\nSUB no.* 2\r\n${asks}`)).toEqual([
      `-ERR '${violation('Subscription to "no.*"')}'`,
      refused,
      refused,
    ]);
    const connect = (user: string) => `CONNECT ${JSON.stringify({ verbose: false, user })}\r\n`;
    const both = ['MSG no.a 2 | x', 'MSG all.secret 1 | y', 'MSG no.a 2 | z'];
    expect((await client.exchange(`${connect(freeUser)}SUB no.* 2\r\n${asks}`)).sort()).toEqual(both.sort());
    expect(await client.exchange(`${connect('other')}${asks}`)).toEqual([refused, refused]);
  });

  test('in the process: errors with the same texts, and nothing else happens', async () => {
    await free.exchange('SUB > 1\r\nPUB kept.secret 1\r\n1\r\n');
    const other = await connected(broker, {}, limited);
    const error = (what: string) => expect.objectContaining({ code: 'NOT_PERMITTED', message: violation(what) });
    const denied = other.topic<string>('no.a', text);
    await expect(denied.publish('x')).rejects.toEqual(error('Publish to "no.a"'));
    await expect(denied.publishSync('x')).rejects.toEqual(error('Publish to "no.a"'));
    expect(() => denied.offer('x')).toThrow(error('Publish to "no.a"'));
    await expect(other.request('no.svc', 'x')).rejects.toEqual(error('Publish to "no.svc"'));
    await expect(other.request('$TEST.REQ.STORE.a', 'x')).rejects.toEqual(error('Publish to "$TEST.REQ.STORE.a"'));
    expect(() => denied.subscribe()).toThrow(error('Subscription to "no.a"'));
    expect(() => other.topic('yes.a').subscribe({ group: 'strangers' })).toThrow(
      error('Subscription to "yes.a" using queue "strangers"'),
    );
    expect(() => other.topic('yes.b').subscribe({ policy: 'drop-new', deadLetter: 'no.dead' })).toThrow(
      error('Publish to "no.dead"'),
    );
    const seen: string[] = [];
    const finished = new Promise<void>((resolve) => {
      const take = (subject: string) => (subject.endsWith('.end') ? resolve() : seen.push(subject));
      other.topic('all.*', text).subscribe(({ subject }) => take(subject));
      other.topic('all.*', text).subscribe(({ subject }) => take(subject), { group: 'g', prefetch: 2 });
      other.topic('kept.*', text).subscribe(({ subject }) => take(subject), { last: true });
    });
    await other.topic('yes.a', text).publish('y');
    const both = broker.topic<string>('all.*', text);
    for (let i = 0; i < 4; i++) await both.publish('s', { subject: 'all.secret' });
    await broker.topic('kept.secret', text).publish('2');
    // what nobody is given is waited for by nobody
    await both.publishSync('s', { subject: 'all.secret' });
    for (let i = 0; i < 4; i++) await both.publish('o', { subject: 'all.open' });
    await both.publish('e', { subject: 'all.end' });
    await finished;
    expect(new Set(seen)).toEqual(new Set(['all.open']));
    expect((await free.exchange()).filter((line) => line.includes(' no.') || line.includes('yes.'))).toEqual([
      'MSG yes.a 1 | y',
    ]);
  });
});
