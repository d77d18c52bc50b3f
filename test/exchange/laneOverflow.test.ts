import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { overflowBytesMax, overflowMessagesMax } from '../../src/base/limits.js';
import type { MessageView } from '../../src/base/messageView.js';
import { placeOf, type Span } from '../../src/base/span.js';
import { LaneOverflow } from '../../src/exchange/laneOverflow.js';
import { Backlog } from '../../src/exchange/laneWriter.js';
import { MessageReader } from '../../src/exchange/messageReader.js';
import { MessageWriter } from '../../src/exchange/messageWriter.js';
import type { ExchangeTopic } from '../../src/exchange/roles.js';
import { Bell, createBellMemory } from '../../src/ring/bell.js';
import { createRingMemory } from '../../src/ring/layout.js';
import { runOf } from '../gateway/messages.js';
import { unheard } from './unheard.js';

// Invariant 24 of docs/INVARIANTS.md.

const endpoint = 7;
const group = { text: 'g', bytes: latin1Bytes('g'), slot: 0, serial: 1 };
const noNames = {
  freshen: () => true,
  ...unheard,
};

function topicOf(text: string, slot: number): ExchangeTopic & { text: string } {
  const subject = latin1Bytes(text);
  return {
    account: mainAccount,
    text,
    subject,
    ...placeOf(subject),
    slot,
    serial: slot + 1,
    live: true,
  };
}

/** A run of messages that say their numbers, one topic's after the other. */
function numbered(first: number, count: number, paddingBytes: number, syncToken: number): MessageView {
  const view = runOf(Array.from({ length: count }, (_, i) => `${first + i} ${'.'.repeat(paddingBytes)}`));
  view.syncToken = syncToken;
  return view;
}

/** Both ends of a lane with an overflow, beside what was sent, received and said to be lost. */
class OverflowModel {
  readonly held = new Set<string>();
  readonly sent = new Map<string, number[]>();
  readonly received = new Map<string, number[]>();
  readonly lost = new Map<string, number>();
  readonly sync: string[] = [];
  readonly writer: MessageWriter;
  readonly overflow: LaneOverflow<ReturnType<typeof topicOf>>;
  readonly reader: MessageReader<ExchangeTopic>;

  constructor(capacityBytes: number, isLossy: (subject: string) => boolean) {
    const memory = createRingMemory(capacityBytes);
    const bells = createBellMemory(2);
    this.writer = new MessageWriter(memory, new Bell(bells, 1), new Backlog());
    this.overflow = new LaneOverflow(this.writer, endpoint, {
      lossySubjects: ({ text }) => (isLossy(text) ? [text, '>'] : null),
      nameOf: ({ text }) => text,
      hold: ({ text }, by) => {
        expect(by).toBe(endpoint);
        this.held.add(text);
      },
      release: () => this.held.clear(),
    });
    const names = { ...noNames, topicOf: (span: Span, start: number, end: number) => topicIn(span, start, end) };
    const receive = ({ subject }: ExchangeTopic, message: MessageView, index: number): void => {
      const text = latin1String(message.bytes, message.starts[index], message.ends[index]);
      append(this.received, latin1String(subject, 0, subject.length), Number.parseInt(text, 10));
    };
    this.reader = new MessageReader<ExchangeTopic>(memory, new Bell(bells, 0), names, {
      onMessages: (topic, message) => {
        for (let i = 0; i < message.count; i++) receive(topic, message, i);
      },
      onQueueMessage: (topic, _, message, index) => receive(topic, message, index),
      onLoss: (subject, count) => this.lost.set(subject, (this.lost.get(subject) ?? 0) + count),
    });
  }

  deliver(topic: ReturnType<typeof topicOf>, count: number, paddingBytes: number, syncToken = 0): void {
    const first = this.sent.get(topic.text)?.length ?? 0;
    for (let i = 0; i < count; i++) append(this.sent, topic.text, first + i);
    if (syncToken !== 0) this.sync.push(`${topic.text} ${first}`);
    this.overflow.deliver(topic, numbered(first, count, paddingBytes, syncToken));
  }

  deliverQueue(topic: ReturnType<typeof topicOf>, paddingBytes: number): void {
    const first = this.sent.get(topic.text)?.length ?? 0;
    append(this.sent, topic.text, first);
    this.overflow.deliverQueue(topic, group, numbered(first, 1, paddingBytes, 0), 0);
  }

  /** The end of a turn of the writing thread. */
  publish(): void {
    this.writer.lane.pump();
    this.overflow.pump();
    this.writer.publish();
    if (this.writer.lane.clear && this.overflow.empty) expect(this.held.size, 'nobody waits for nothing').toBe(0);
  }

  read(records: number): void {
    this.reader.look();
    for (let i = 0; i < records && this.reader.takeOne(); i++);
    this.reader.lane.release();
  }

  finish(): void {
    for (let turn = 0; turn < 100_000 && !(this.writer.lane.clear && this.overflow.empty); turn++) {
      this.publish();
      this.read(Number.POSITIVE_INFINITY);
    }
    this.publish();
    this.read(Number.POSITIVE_INFINITY);
    expect(this.overflow.away).toBe(false);
    expect(this.held.size).toBe(0);
  }
}

function topicIn(span: Span, start: number, end: number): ExchangeTopic {
  return topicOf(latin1String(span.bytes, start, end), 0);
}

function append(lists: Map<string, number[]>, key: string, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

const padding = fc.oneof(fc.nat(40), fc.constantFrom(200, 900));
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      topic: fc.nat(3),
      count: fc.integer({ min: 1, max: 9 }),
      padding,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sync' as const), topic: fc.nat(3), padding }) },
  // topics of a group are others: its messages are never lost
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('queue' as const), padding }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('read' as const), records: fc.nat(4) }) },
);

test('who can do without loses what is counted, up to the latest; who cannot has publishers wait, and gets all', () => {
  fc.assert(
    fc.property(fc.constantFrom(512, 1024, 4096), fc.array(step, { maxLength: 150 }), (capacityBytes, steps) => {
      const model = new OverflowModel(capacityBytes, (subject) => subject < 't2');
      const topics = ['t0', 't1', 't2', 't3', 'queue'].map(topicOf);
      for (const each of steps) {
        if (each.kind === 'deliver') model.deliver(topics[each.topic], each.count, each.padding);
        else if (each.kind === 'sync') model.deliver(topics[each.topic], 1, each.padding, 1);
        else if (each.kind === 'queue') model.deliverQueue(topics[4], each.padding);
        else if (each.kind === 'publish') model.publish();
        else model.read(each.records);
      }
      model.finish();
      let lost = 0;
      for (const { text } of topics) {
        const sent = model.sent.get(text) ?? [];
        const received = model.received.get(text) ?? [];
        if (text >= 't2' || text === 'queue') expect(received).toEqual(sent);
        expect(received.toSorted((a, b) => a - b)).toEqual(received);
        expect(received.at(-1)).toBe(sent.at(-1));
        expect(model.lost.get(text) ?? 0).toBe(sent.length - received.length);
        lost += sent.length - received.length;
      }
      // a pattern that takes several topics hears of all their losses
      expect(model.lost.get('>') ?? 0).toBe(lost);
      for (const each of model.sync) {
        const [text, number] = each.split(' ');
        expect(model.received.get(text)).toContain(Number(number));
      }
    }),
    { numRuns: 300 },
  );
});

test('publishers of a topic that has to be waited for wait from the first message that finds no room', () => {
  const model = new OverflowModel(512, () => false);
  const topic = topicOf('t', 0);
  while (!model.overflow.away) {
    expect(model.held.size).toBe(0);
    model.deliver(topic, 1, 40);
    model.publish();
  }
  expect([...model.held]).toEqual(['t']);
  model.read(1);
  model.finish();
});

test('what is kept is bounded, in messages and in bytes; what was given up is counted', () => {
  for (const [topics, paddingBytes] of [
    [overflowMessagesMax + 5000, 0],
    [100, overflowBytesMax / 50],
  ]) {
    const model = new OverflowModel(1024, () => true);
    for (let i = 0; i < topics; i++) model.deliver(topicOf(`t${i}`, i), 1, paddingBytes);
    model.finish();
    const received = [...model.received.values()].flat().length;
    expect(received + (model.lost.get('>') ?? 0)).toBe(topics);
    expect(received).toBeLessThan(paddingBytes === 0 ? overflowMessagesMax + 100 : 60);
    expect(model.received.get(`t${topics - 1}`), 'the latest of all').toEqual([0]);
  }
});
