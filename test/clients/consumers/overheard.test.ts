import { describe, expect, test } from 'vitest';
import { client } from '../../harness/officialClient.js';
import { RawClient } from '../../harness/rawClient.js';
import { shardCounts } from '../../harness/target.js';
import { useSite } from './site.js';

// Acknowledgements come by one topic for all of a consumer's, unless somebody listens to them: what becomes of them is the same, and whoever
// listens is shown each by its own subject.

const count = 600;
/** Said of each of ten messages in turn; the other words leave it in flight. */
const words = ['', '+ACK', '+OK', '+TERM', '+WPI', 'junk', '', '+ACK', '+ACK', ''];
const done = (word: string) => word !== '+WPI' && word !== 'junk';

describe.each(shardCounts)('%i shards', (shards) => {
  const used = useSite({ shards });

  test.each([
    ['nobody', null],
    ['whoever takes all', '>'],
    ['a pattern', '$JS.ACK.S.*.>'],
    ['a pattern of one consumer', '$JS.ACK.*.C.1.*.*.*.*'],
    ['others', '$JS.ACK.S.D.>'],
  ])('acknowledgements at once, and one that wants to know behind each ten: %s listens', async (_, pattern) => {
    const { site } = used;
    await site.stream();
    await site.add({ max_ack_pending: count });
    const listener = await client(site.port);
    const heard: string[] = [];
    const asked = new Set<string>();
    const callback = (_: unknown, { subject }: { subject: string }): void => {
      if (asked.has(subject)) heard.push(subject);
    };
    if (pattern !== null) listener.subscribe(pattern, { callback });
    await listener.flush();
    const worker = await RawClient.connect(site.port);
    await worker.exchange('SUB in 1\r\nSUB told.* 2\r\n');
    for (let i = 0; i < count; i++) worker.send(`PUB s.1 1\r\n${i % 10}\r\n`);
    worker.send(`PUB $JS.API.CONSUMER.MSG.NEXT.S.C in 13\r\n{"batch":${count}}\r\n`);
    const messages = await worker.messages(count);
    let text = '';
    for (const [i, { reply }] of messages.entries()) {
      const word = words[i % 10] as string;
      const wantsToKnow = i % 10 === 9 ? ` told.${i}` : '';
      asked.add(reply as string);
      text += `PUB ${reply}${wantsToKnow} ${word.length}\r\n${word}\r\n`;
    }
    worker.send(text);
    const told = await worker.messages(count / 10);
    expect(told.map(({ subject }) => subject)).toEqual(messages.flatMap((_, i) => (i % 10 === 9 ? [`told.${i}`] : [])));
    await site.until('C', { num_ack_pending: messages.filter((_, i) => !done(words[i % 10] as string)).length });
    await listener.flush();
    expect(heard).toEqual(pattern === null || pattern.includes('D') ? [] : [...asked]);
  });

  test('acknowledgements that are none change nothing, and end nobody', async () => {
    const { site } = used;
    await site.stream();
    await site.publish('1', '2');
    await site.add();
    const worker = await RawClient.connect(site.port);
    await worker.exchange('SUB in 1\r\n');
    worker.send('PUB $JS.API.CONSUMER.MSG.NEXT.S.C in 11\r\n{"batch":2}\r\n');
    const [first] = await worker.messages(2);
    const stem = '$JS.ACK.S.C.';
    const rests = [
      '1',
      '1.x',
      '1.1e1.1.1.1',
      '1.-1.-1.1.1',
      '1.99999999999999999999.1.1.1',
      '1..1',
      '1.0.0.0.0',
      '.',
      '*.1',
    ];
    const subjects = [
      ...rests.map((rest) => stem + rest),
      '$JS.ACK.S.C',
      '$JS.ACK.S',
      '$JS.ACK.no.C.1.1.1.1.1',
      '$JS.ACK.S.no.1.1.1.1.1',
    ];
    for (const subject of subjects) worker.send(`PUB ${subject} 0\r\n\r\nPUB ${subject} 4\r\n+ACK\r\n`);
    worker.send(`PUB ${stem}\0 4\r\n+ACK\r\n`);
    await worker.exchange();
    await site.until('C', { num_ack_pending: 2 });
    worker.send(`PUB ${first?.reply} 0\r\n\r\n`);
    await site.until('C', { num_ack_pending: 1 });
  });
});
