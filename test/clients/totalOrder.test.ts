import { describe, expect } from 'vitest';
import { clients, collect } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { ours, shardCounts } from '../harness/target.js';

// Invariant 6 of docs/INVARIANTS.md.

describe.each(shardCounts)('%i shards, --order topic', (shards) => {
  const server = useBroker({ shards, order: 'topic' });

  // Core NATS promises no order between publishers.
  ours('all subscribers of a topic see the messages of all publishers in one order', async () => {
    const topics = ['t.a', 't.b', 't.c', 't.d', 't.e'];
    const readers = await clients(5, server.port);
    const seen = readers.map((reader) => topics.map((topic) => collect(reader, topic).texts));
    await Promise.all(readers.map((reader) => reader.flush()));
    const publishers = await clients(4, server.port);
    for (let i = 0; i < 1000; i++) {
      for (const [p, publisher] of publishers.entries())
        for (const topic of topics) publisher.publish(topic, `${p}.${i}`);
      // Let the event loop send, so that the publishers' streams really interleave.
      if (i % 50 === 0) await publishers[i % 4]?.flush();
    }
    await Promise.all(publishers.map((publisher) => publisher.flush()));
    await Promise.all(readers.map((reader) => reader.flush()));
    for (const [t] of topics.entries()) {
      const first = seen[0]?.[t];
      expect(first).toHaveLength(4000);
      for (const reader of seen) expect(reader[t]).toEqual(first);
      for (let p = 0; p < 4; p++) {
        const own = first?.filter((text) => text.startsWith(`${p}.`));
        expect(own).toEqual(Array.from({ length: 1000 }, (_, i) => `${p}.${i}`));
      }
    }
  });

  ours('a wildcard subscriber sees each topic in that order too', async () => {
    const [exact, wild, ...publishers] = await clients(6, server.port);
    const [a, all] = [collect(exact!, 'w.a'), collect(wild!, 'w.*')];
    await Promise.all([exact!.flush(), wild!.flush()]);
    for (let i = 0; i < 1000; i++) {
      for (const [p, publisher] of publishers.entries()) {
        publisher.publish('w.a', `a ${p} ${i}`);
        publisher.publish('w.b', `b ${p} ${i}`);
      }
      if (i % 100 === 0) await publishers[0]?.flush();
    }
    await Promise.all(publishers.map((publisher) => publisher.flush()));
    await Promise.all([exact!.flush(), wild!.flush()]);
    expect(a.texts).toHaveLength(4000);
    expect(all.texts.filter((text) => text.startsWith('a'))).toEqual(a.texts);
  });
});
