import { writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { codecs, startBroker } from '../../src/broker/index.js';

/**
 * A broker inside of a program, with so many shards, that says in a file how it is reached. Told for how many milliseconds, the program itself publishes
 * meanwhile, as fast as it may, to ever new subjects.
 */
const [shards, portsFile] = process.argv.slice(2) as [string, string];
const broker = await startBroker({ shards: Number(shards), port: 0, jsonlPort: 0, wsPort: 0, logLevel: 'warn' });
const topic = broker.topic<string>('new.*', { codec: codecs.utf8 });
let next = 0;

process.on('message', async (durationMs: number) => {
  for (const end = Date.now() + durationMs; Date.now() < end; await turn())
    for (let i = 0; i < 1000 && topic.offer('', { subject: `new.${next}` }); i++) next++;
  process.send!(next);
});

writeFileSync(portsFile, JSON.stringify(broker.ports));
