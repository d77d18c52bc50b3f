import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { accountsMax } from '../../src/base/limits.js';
import { MessageView } from '../../src/base/messageView.js';
import { placeOf, Span } from '../../src/base/span.js';
import { Work } from '../../src/base/work.js';
import { Backlog } from '../../src/exchange/laneWriter.js';
import { MessageReader } from '../../src/exchange/messageReader.js';
import { MessageWriter } from '../../src/exchange/messageWriter.js';
import type { ExchangeQueue, ExchangeTopic } from '../../src/exchange/roles.js';
import { Bell, createBellMemory } from '../../src/ring/bell.js';
import { createRingMemory } from '../../src/ring/layout.js';
import { messageOf } from '../gateway/messages.js';
import { MixedLaneModel } from './mixedLaneModel.js';

const slots = 4;
/** What a message costs its reader: so much that runs are cut. */
const unitsEach = 4000;

/** A message as text, with all that must arrive. */
function describeMessage(subject: string, queue: string, message: MessageView, index = 0): string {
  const text = (start: number, end: number): string => latin1String(message.bytes, start, end);
  const reply = message.replyText(index);
  const body = text(message.starts[index], message.ends[index]);
  return `${subject} ${queue} ${message.exceptConnection} ${message.syncToken} ${message.headerBytes(index)} ${reply} ${body}`;
}

/** Both ends of a message lane in one thread, beside the queue that they should be. */
class LaneModel {
  readonly writer: MessageWriter;
  readonly reader: MessageReader<ExchangeTopic>;
  readonly backlog = new Backlog();
  /** Messages that the kernel took. */
  byKernel = 0;
  /** Of the reader: how much of runs that cost much it takes at a time. */
  readonly #work = new Work();
  readonly #expected: string[] = [];
  readonly #received: string[] = [];
  readonly #topics: ExchangeTopic[] = [];
  readonly #queues: ExchangeQueue[] = [];
  #serial = 0;
  #asked = 0;

  /** @param kernel whether there is one for mixed runs */
  constructor(capacityBytes: number, kernel = false) {
    const memory = createRingMemory(capacityBytes);
    const bells = createBellMemory(2);
    this.writer = new MessageWriter(memory, new Bell(bells, 1), this.backlog);
    const names = {
      topicOf: (span: Span, start: number, end: number, account: number): ExchangeTopic => ({
        account,
        subject: span.bytes.slice(start, end),
        ...placeOf(span.bytes.slice(start, end)),
        slot: 0,
        serial: 0,
        live: true,
        units: unitsEach,
      }),
      // now and then its topic has to be planned first
      freshen: () => this.#asked++ % 3 !== 1,
      onPlainInterest: () => {},
      onQueueInterest: () => {},
      onTopicFull: () => {},
      onLagging: () => {},
      onHoldSpent: () => {},
      onGroupSpent: () => {},
      onService: () => {},
      onInbox: () => {},
    };
    const receive = (topic: ExchangeTopic, queue: string, message: MessageView, index: number): void => {
      this.#received.push(describeMessage(nameOf(topic), queue, message, index));
    };
    this.reader = new MessageReader<ExchangeTopic>(
      memory,
      new Bell(bells, 0),
      names,
      {
        onMessages: (topic, message) => {
          for (let i = 0; i < message.count; i++) receive(topic, '', message, i);
        },
        onQueueMessage: receive,
        mixed: kernel
          ? new MixedLaneModel((topic, payload) => {
              this.byKernel++;
              receive(topic, '', messageOf(payload), 0);
            })
          : null,
      },
      this.#work,
    );
    for (let slot = 0; slot < slots; slot++) {
      this.#topics.push(this.#topic(slot, `t${slot}`));
      this.#queues.push({ text: `q${slot}`, bytes: latin1Bytes(`q${slot}`), slot, serial: ++this.#serial });
    }
  }

  /** The slot's topic is forgotten, another takes its number; the queue group's too. */
  reuse(slot: number, subject: string): void {
    this.writer.forget(this.#topics[slot]);
    this.#topics[slot] = this.#topic(slot, subject);
    this.#queues[slot] = { text: subject, bytes: latin1Bytes(subject), slot, serial: ++this.#serial };
  }

  offer(slot: number, message: MessageView): void {
    const topic = this.#topics[slot];
    const waiting = !this.writer.lane.clear;
    const taken = this.writer.offer(topic, message);
    for (let i = 0; i < taken; i++) this.#expect(topic, '', message, i);
    if (waiting) expect(taken, 'nothing overtakes the outbox').toBe(0);
  }

  push(slot: number, queueSlot: number | null, message: MessageView): void {
    const topic = this.#topics[slot];
    const queue = queueSlot === null ? null : this.#queues[queueSlot];
    if (queue === null) this.writer.push(topic, message);
    for (let i = 0; i < message.count; i++) {
      if (queue !== null) this.writer.pushOne(topic, queue, message, i);
      this.#expect(topic, queue === null ? '' : queue.text, message, i);
    }
  }

  get received(): number {
    return this.#received.length;
  }

  publish(): void {
    this.writer.lane.pump();
    this.writer.publish();
  }

  /** @param units the share of work that there is for it: a record may be taken in part */
  read(records: number, units = Number.MAX_SAFE_INTEGER): void {
    this.#work.nextTurn();
    this.#work.limit = units;
    this.reader.look();
    for (let i = 0; i < records && this.reader.takeOne(); i++);
    this.reader.lane.release();
    expect(this.#received).toEqual(this.#expected.slice(0, this.#received.length));
  }

  finish(): void {
    for (
      let turn = 0;
      turn < 10_000 && !(this.writer.lane.clear && this.#received.length === this.#expected.length);
      turn++
    ) {
      this.publish();
      this.read(Number.POSITIVE_INFINITY);
    }
    expect(this.#received).toEqual(this.#expected);
    expect(this.backlog.lanes).toBe(0);
  }

  #expect(topic: ExchangeTopic, queue: string, message: MessageView, index: number): void {
    this.#expected.push(describeMessage(nameOf(topic), queue, message, index));
  }

  #topic(slot: number, subject: string): ExchangeTopic {
    const bytes = latin1Bytes(subject);
    const account = accounts[slot % accounts.length] as number;
    return { account, subject: bytes, ...placeOf(bytes), slot, serial: ++this.#serial, live: true };
  }
}

function nameOf({ account, subject }: ExchangeTopic): string {
  return `${account} ${latin1String(subject, 0, subject.length)}`;
}

const accounts = [mainAccount, 1, accountsMax - 1];

const slot = fc.nat(slots - 1);
const text = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', '.', '\xff', '\0'), minLength: 1, maxLength });

/** Who published: anybody, a connection that wants no echo, or synchronously somebody whose token has the connection's number. */
const senders = [{}, { exceptConnection: 7 }, { syncToken: 7 }];

const single = fc
  .record({
    reply: fc.oneof(fc.constant(''), text(30)),
    headers: fc.oneof(fc.constant(''), text(60)),
    payload: fc.oneof(fc.nat(20), fc.nat(300), fc.nat(5000)).map((length) => 'p'.repeat(length)),
    sender: fc.constantFrom(...senders),
    before: fc.nat(9),
  })
  .map(({ reply, headers, payload, sender, before }) => {
    const view = new MessageView();
    const bytes = latin1Bytes(`${'#'.repeat(before)}${reply}--${headers}${payload}\r\n`);
    const replyEnd = before + reply.length;
    view.set(new Span(bytes), replyEnd + 2, bytes.length - 2);
    view.setReply(before, replyEnd);
    view.setHeaders(headers.length);
    Object.assign(view, sender);
    return view;
  });

/** Messages, all with a reply or none and all with headers or none, that a publisher sent one behind the other. */
const run = fc
  .record({
    messages: fc.array(fc.record({ reply: text(30), headers: text(60), length: fc.nat(200) }), {
      minLength: 1,
      maxLength: 40,
    }),
    replies: fc.boolean(),
    headers: fc.boolean(),
    sender: fc.constantFrom(...senders),
  })
  .map(({ messages, replies, headers, sender }) => {
    const view = new MessageView();
    const lines: string[] = [];
    let position = 0;
    for (const [i, { reply, headers: block, length }] of messages.entries()) {
      const line = `${replies ? reply : ''}##${headers ? block : ''}${'r'.repeat(length)}\r\n`;
      view.replyStarts[i] = position;
      view.replyEnds[i] = position + reply.length;
      view.starts[i] = position + line.indexOf('##') + 2;
      view.headerLengths[i] = block.length;
      position += line.length;
      view.ends[i] = position - 2;
      lines.push(line);
    }
    view.span = new Span(latin1Bytes(lines.join('')));
    view.count = messages.length;
    view.withReplies = replies;
    view.withHeaders = headers;
    Object.assign(view, sender);
    return view;
  });

const message = fc.oneof(single, run);

/** Plain messages of topics in any order, most of which share records. */
const plain = fc.record({ slot, length: fc.oneof({ weight: 9, arbitrary: fc.nat(60) }, fc.nat(1100)) });

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('offer' as const), slot, message }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('push' as const), slot, queue: fc.option(slot), message }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('feed' as const), plain: fc.array(plain, { maxLength: 40, size: 'max' }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reuse' as const), slot, subject: text(200) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), records: fc.nat(5), messages: fc.nat(20) }) },
);

test('what may wait does not join a run that waits', () => {
  const lane = new LaneModel(1024);
  while (lane.writer.lane.clear) lane.push(0, null, messageOf('p'.repeat(100)));
  lane.offer(0, messageOf(''));
  lane.finish();
});

test('invariants 4, 25, 36 and 39: what a lane took arrives whole and in order, whatever its size and names, and wherever its reader stops', () => {
  const capacity = fc.constantFrom(128, 256, 1024, 4096);
  const byWay = { kernel: 0, javaScript: 0 };
  fc.assert(
    fc.property(capacity, fc.boolean(), fc.array(step, { maxLength: 60 }), (capacityBytes, kernel, steps) => {
      const lane = new LaneModel(capacityBytes, kernel);
      for (const next of steps) {
        if (next.do === 'offer') lane.offer(next.slot, next.message);
        else if (next.do === 'push') lane.push(next.slot, next.queue, next.message);
        else if (next.do === 'feed')
          for (const { slot: number, length } of next.plain) lane.push(number, null, messageOf('m'.repeat(length)));
        else if (next.do === 'reuse') lane.reuse(next.slot, next.subject);
        else if (next.do === 'read') lane.read(next.records, next.messages * unitsEach);
        else lane.publish();
      }
      lane.finish();
      byWay.kernel += lane.byKernel;
      byWay.javaScript += lane.received - lane.byKernel;
    }),
    { numRuns: 300 },
  );
  expect(Math.min(byWay.kernel, byWay.javaScript)).toBeGreaterThan(300);
});
