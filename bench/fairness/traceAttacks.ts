import { type Attack, flood, floodAfter, floodMs, repeat, withHeaders } from './attack.js';
import { Client } from './client.js';

function traced(subject: string, destination: string, more = ''): string {
  return withHeaders(subject, `Nats-Trace-Dest: ${destination}\r\n${more}`, 'x');
}

/** What is told of what became of a message (`Nats-Trace-Dest`). */
export const traceAttacks: Readonly<Record<string, Attack>> = {
  traces: flood(
    'a flood of traced messages, each with a destination of its own',
    repeat(2_000, (i) => traced(`traced.${i}`, `trace.${i}`)),
  ),
  tracedReaders: floodAfter(
    'a flood of traced messages with 20,000 subscriptions of their sender',
    (client) => client.sendLines(20_000, (i) => `SUB traced ${i}\r\n`),
    traced('traced', 'trace').repeat(500),
  ),
  tracedGroups: floodAfter(
    'a flood of traced messages to 20,000 queue groups of their sender, none of which gets them',
    (client) => client.sendLines(20_000, (i) => `SUB traced q${i} ${i}\r\n`),
    traced('traced', 'trace', 'Nats-Trace-Only: 1\r\n').repeat(500),
  ),
  tracedTraces: floodAfter(
    'a flood of traced messages whose traces go where they went, to 1,000 subscriptions of their sender',
    (client) => client.sendLines(1_000, (i) => `SUB traced ${i}\r\n`),
    traced('traced', 'traced').repeat(500),
  ),
  tracedStored: floodAfter(
    'a flood of traced messages to a stream that stores their traces, too',
    (client) => client.send(createStream('{"name":"T","storage":"memory","subjects":["traced.>"],"max_msgs":10000}')),
    repeat(1_000, (i) => traced(`traced.${i}`, `traced.trace.${i}`)),
  ),
  zippedTraces: flood(
    'a flood of traced messages with 60 KB of headers, whose traces are compressed',
    traced(
      'traced',
      'trace',
      `Accept-Encoding: gzip\r\n${repeat(2_000, (i) => `header-${i}: value of it ${i * i}\r\n`)}`,
    ).repeat(20),
  ),
  tracedCrowd: {
    what: 'floods of traced messages from 200 connections',
    prepare: async ({ nats }) => {
      const crowd = await Promise.all(Array.from({ length: 200 }, () => Client.nats(nats)));
      const bytes = repeat(50, (i) => traced(`traced.${i}`, `trace.${i}`));
      return { attacker: crowd[0] as Client, strike: () => Promise.all(crowd.map((one) => one.flood(bytes, floodMs))) };
    },
  },
};

function createStream(config: string): string {
  return `PUB $JS.API.STREAM.CREATE.T ${config.length}\r\n${config}\r\n`;
}
