import type { Broker } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { inProcess, portOf } from '../client/broker.js';
import { RawClient } from '../harness/rawClient.js';
import { onlyTraced, type ReadTrace, TraceReader, traced } from './traceClient.js';

// Invariant 57 of docs/INVARIANTS.md.

const fields = (headers: typeof traced) => Object.fromEntries(headers);
const takers = ({ events }: ReadTrace) =>
  events.flatMap(({ type, sub, queue }) => (type === 'eg' ? [[sub, queue].filter(Boolean).join(' ')] : [])).sort();

async function withBroker(shards: number, use: (broker: Broker, reader: TraceReader) => Promise<void>): Promise<void> {
  const broker = await inProcess({ shards });
  try {
    await use(broker, await TraceReader.open(portOf(broker)));
  } finally {
    await broker.stop();
  }
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  test('a synchronous publish that is traced waits for its subscribers, and its trace says who they are', () =>
    withBroker(shards, async (broker, reader) => {
      const remote = await RawClient.connect(portOf(broker));
      await remote.exchange('SUB s.* 1\r\nSUB s.a workers 2\r\n');
      const steps: string[] = [];
      let finish = (): void => {};
      const begun = new Promise<void>((resolve) => {
        broker.topic('s.a').subscribe(async () => {
          resolve();
          await new Promise<void>((done) => {
            finish = done;
          });
          steps.push('handled');
        });
      });
      const published = broker.topic('s.a').publishSync('x', { headers: fields(traced) });
      published.then(() => steps.push('published'));
      await begun;
      finish();
      await published;
      expect(steps).toEqual(['handled', 'published']);
      expect(takers(await reader.next())).toEqual(['s.*', 's.a', 's.a workers']);
      // one without is published as ever, and has none
      const plain = broker.topic('s.a').publishSync('x', { headers: { a: 'b' } });
      while (broker.endpointCensus().synchronous > 0) {
        finish();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await plain;
      await broker.topic('s.b').publishSync('x', { headers: fields(traced) });
      expect(takers(await reader.next())).toEqual(['s.*']);
    }));

  test('one that is only traced is given to nobody, and resolves when all have told', () =>
    withBroker(shards, async (broker, reader) => {
      const remote = await RawClient.connect(portOf(broker));
      await remote.exchange('SUB s.* 1\r\n');
      const seen: unknown[] = [];
      broker.topic('s.a').subscribe((message) => void seen.push(message.value));
      await broker.topic('s.a').publishSync('x', { headers: fields(onlyTraced) });
      expect(takers(await reader.next())).toEqual(['s.*', 's.a']);
      await broker.topic('s.none').publishSync('x', { headers: fields(onlyTraced) });
      expect(takers(await reader.next())).toEqual(['s.*']);
      expect(seen).toEqual([]);
      expect(await remote.exchange()).toEqual([]);
    }));

  test('what a stream refuses rejects, and is told; what it stores is told, too', () =>
    withBroker(shards, async (broker, reader) => {
      await broker.stream('S').create({ subjects: ['s.*'], storage: 'memory', maxMessageBytes: 100 });
      const stored = () => reader.next().then(({ events }) => events.filter(({ type }) => type === 'js'));
      await broker.topic('s.a').publishSync('', { headers: fields(traced) });
      expect(await stored()).toEqual([expect.objectContaining({ stream: 'S', subject: 's.a' })]);
      await expect(broker.topic('s.a').publishSync('x'.repeat(500), { headers: fields(traced) })).rejects.toThrow();
      expect(await stored()).toEqual([expect.objectContaining({ stream: 'S', error: expect.any(String) })]);
    }));
});
