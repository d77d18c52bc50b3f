import { writeSync } from 'node:fs';
import { codecs, startBroker } from 'shardcast';

/** A broker in a process of its own that publishes to itself, and says by number what it was told is stored, at once. */
const [data, shards, first] = process.argv.slice(2) as [string, string, string];
const broker = await startBroker({ listen: false, shards: Number(shards), data, logLevel: 'silent' });
await broker.stream('yes').create({ subjects: ['yes.*'] });
const topic = broker.topic('yes.*', { codec: codecs.utf8 });
topic.subscribe(() => {});
let next = Number(first);

async function publish(one: number): Promise<void> {
  for (;;) {
    const text = `${next++}`;
    const options = { subject: `yes.${one}` };
    if (one % 2 === 0) await topic.publish(text, options);
    else await topic.publishSync(text, options);
    writeSync(1, `${text}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, (_, one) => publish(one)));
