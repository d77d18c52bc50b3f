import fc from 'fast-check';
import { expect } from 'vitest';
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
import { unheard } from './unheard.js';

/** Numbers of topics, and of queue groups. */
const slots = 4;
/** What a message costs its reader: so much that runs are cut. */
export const unitsEach = 4000;

/** A message as text, with all that must arrive. */
function describeMessage(subject: string, queue: string, message: MessageView, index = 0): string {
  const text = (start: number, end: number): string => latin1String(message.bytes, start, end);
  const reply = message.replyText(index);
  const body = text(message.starts[index], message.ends[index]);
  return `${subject} ${queue} ${message.exceptConnection} ${message.syncToken} ${message.headerBytes(index)} ${reply} ${body}`;
}

/** Both ends of a message lane in one thread, beside the queue that they should be. */
export class LaneModel {
  readonly writer: MessageWriter;
  readonly reader: MessageReader<ExchangeTopic>;
  readonly backlog = new Backlog();
  /** Messages that the kernel took. */
  byKernel = 0;
  /** Of the reader: how much of runs that cost much it takes at a time. */
  readonly #work = new Work();
  readonly #expected: string[] = [];
  readonly #received: string[] = [];
  #compared = 0;
  readonly #names: Names;
  #asked = 0;

  /**
   * @param kernel whether there is one for mixed runs
   * @param names what its writer's thread calls topics and queue groups
   */
  constructor(capacityBytes: number, kernel = false, names = new Names()) {
    this.#names = names;
    const memory = createRingMemory(capacityBytes);
    const bells = createBellMemory(2);
    this.writer = new MessageWriter(memory, new Bell(bells, 1), this.backlog);
    const router = {
      topicOf: (span: Span, start: number, end: number, account: number): ExchangeTopic => ({
        account,
        subject: span.bytes.slice(start, end),
        ...placeOf(span.bytes.slice(start, end)),
        slot: 0,
        serial: 0,
        live: true,
        unitsOf: () => unitsEach,
      }),
      // now and then its topic has to be planned first
      freshen: () => this.#asked++ % 3 !== 1,
      ...unheard,
    };
    const receive = (topic: ExchangeTopic, queue: string, message: MessageView, index: number): void => {
      this.#received.push(describeMessage(nameOf(topic), queue, message, index));
    };
    this.reader = new MessageReader<ExchangeTopic>(
      memory,
      new Bell(bells, 0),
      router,
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
  }

  /** The slot's topic is forgotten, another takes its number; the queue group's too. */
  reuse(slot: number, subject: string): void {
    this.writer.forget(this.#names.topics[slot]);
    this.#names.reuse(slot, subject);
  }

  offer(slot: number, message: MessageView): void {
    const topic = this.#names.topics[slot];
    const waiting = !this.writer.lane.clear;
    const taken = this.writer.offer(topic, message);
    for (let i = 0; i < taken; i++) this.expect(topic, '', message, i);
    if (waiting) expect(taken, 'nothing overtakes the outbox').toBe(0);
  }

  push(slot: number, queueSlot: number | null, message: MessageView): void {
    const topic = this.#names.topics[slot];
    const queue = queueSlot === null ? null : this.#names.queues[queueSlot];
    if (queue === null) this.writer.push(topic, message);
    for (let i = 0; i < message.count; i++) {
      if (queue !== null) this.writer.pushOne(topic, queue, message, i);
      this.expect(topic, queue === null ? '' : queue.text, message, i);
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
    this.#compareNew();
  }

  /** What came since was compared last; all of it each time would take as long as its square. */
  #compareNew(): void {
    const from = this.#compared;
    this.#compared = this.#received.length;
    expect(this.#received.slice(from)).toEqual(this.#expected.slice(from, this.#compared));
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

  /** The lane was given message `index` of a run. */
  expect(topic: ExchangeTopic, queue: string, message: MessageView, index: number): void {
    this.#expected.push(describeMessage(nameOf(topic), queue, message, index));
  }
}

/** Topics and queue groups of a thread by their numbers, which others take after them. */
export class Names {
  readonly topics: ExchangeTopic[] = [];
  readonly queues: ExchangeQueue[] = [];
  #serial = 0;

  constructor() {
    for (let slot = 0; slot < slots; slot++) {
      this.topics.push(this.#topic(slot, `t${slot}`));
      this.queues.push(this.#queue(slot, `q${slot}`));
    }
  }

  reuse(slot: number, subject: string): void {
    this.topics[slot] = this.#topic(slot, subject);
    this.queues[slot] = this.#queue(slot, subject);
  }

  #topic(slot: number, subject: string): ExchangeTopic {
    const bytes = latin1Bytes(subject);
    const account = accounts[slot % accounts.length] as number;
    return { account, subject: bytes, ...placeOf(bytes), slot, serial: ++this.#serial, live: true };
  }

  #queue(slot: number, text: string): ExchangeQueue {
    return { text, bytes: latin1Bytes(text), slot, serial: ++this.#serial };
  }
}

function nameOf({ account, subject }: ExchangeTopic): string {
  return `${account} ${latin1String(subject, 0, subject.length)}`;
}

const accounts = [mainAccount, 1, accountsMax - 1];

export const slot = fc.nat(slots - 1);
export const text = (maxLength: number) =>
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

export const message = fc.oneof(single, run);

/** Plain messages of topics in any order, most of which share records. */
export const plain = fc.record({ slot, length: fc.oneof({ weight: 9, arbitrary: fc.nat(60) }, fc.nat(1100)) });
