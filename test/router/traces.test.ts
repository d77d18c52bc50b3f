import { expect, test } from 'vitest';
import { fullness } from '../../src/base/fullness.js';
import { traceUnits } from '../../src/base/limits.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { Work } from '../../src/base/work.js';
import type { ServerInfo } from '../../src/protocol/info.js';
import type { Router } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';
import { Trace, Traces } from '../../src/router/traces.js';

// Invariant 25 of docs/INVARIANTS.md.

const topic = { endpoint: null, allowed: true, goes: true, fullness: fullness.ready } as Topic;

/** Traces of a message with so many bytes of headers, each of which costs so much to deliver. */
class Site {
  readonly work = new Work();
  published = 0;
  readonly traces: Traces;

  constructor(deliverUnits: number) {
    const router = { work: this.work, topics: { obtain: () => topic }, holds: { isParked: () => false } };
    this.traces = new Traces(
      0,
      router as unknown as Router,
      {
        ready: () => true,
        publish: () => {
          this.work.units += deliverUnits;
          return ++this.published > 0;
        },
        onRoom: () => {},
        requestTurn: () => {},
        server: () => ({ server_id: 'x' }) as ServerInfo,
      },
      null,
    );
  }

  add(count: number, headerBytes: number, encodings: string | null): void {
    const block = Buffer.from(`NATS/1.0\r\na: ${'x'.repeat(headerBytes)}\r\n\r\n\r\n`);
    const message = new MessageView();
    message.set(new Span(block), 0, block.length - 2);
    message.setHeaders(block.length - 2);
    const traceOptions = { destination: 'd', only: false, encodings };
    for (let i = 0; i < count; i++)
      this.traces.end(new Trace({ account: 0, rights: null, tracing: 0 }, { traceOptions, span: null }, message, []));
  }

  /** A turn; returns how many traces it published. */
  turn(): number {
    const before = this.published;
    this.work.nextTurn();
    this.traces.doWork();
    return this.published - before;
  }
}

test('a turn publishes no more traces than it may, by what they take to be delivered: one at least', () => {
  const site = new Site(traceUnits);
  site.add(5, 10, null);
  for (let i = 0; i < 5; i++) expect(site.turn()).toBe(1);
  expect(site.turn()).toBe(0);
  expect(site.traces.size).toBe(0);
});

test('long traces count by what they take to be written, compressed ones more', () => {
  const counts = [null, 'gzip'].map((encodings) => {
    const site = new Site(0);
    site.add(20, 30_000, encodings);
    const count = site.turn();
    expect(site.work.units).toBeLessThan(2 * traceUnits + 30_000);
    return count;
  });
  expect(counts[0]).toBeGreaterThan(1);
  expect(counts[0]).toBeLessThan(20);
  expect(counts[1]).toBe(1);
});
