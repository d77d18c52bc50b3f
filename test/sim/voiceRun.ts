import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { shownSubject } from '../../src/base/shown.js';
import { Span } from '../../src/base/span.js';
import { addEndpoint, createExchangeMemory } from '../../src/exchange/memory.js';
import type { Topic } from '../../src/router/topic.js';
import { type Said, Voice } from '../../src/shard/voice.js';
import { randomFrom } from './random.js';
import { type SimOptions, SimThread } from './simThread.js';

const laneBytes = 4096;
const sayingsEach = 80;
const publishesEach = 80;
const turnsMax = 100_000;
const topics = Array.from({ length: 6 }, (_, i) => `all.${i}`);

export interface VoiceResult {
  /** By shard: what it put in order, as `subject id`; what it said itself has an id that begins with `v`. Gateway n alone takes `in.n.*`. */
  ordered: string[][];
  /** By gateway, in order of arrival: the same. */
  received: string[][];
  /** How often a member of the group got each. */
  taken: Map<string, number>;
  /** What sayings came to. */
  outcomes: Map<Said, number>;
  /** Most bytes that were said and not yet received by everybody. */
  underWayBytesMax: number;
  said: number;
  /** Of these, what went to an address without a topic of its own. */
  answers: number;
  /** Runs of them that went as a whole to another thread. */
  runs: number;
  done: boolean;
}

/** Threads whose shards say messages, on subjects of all shards, while clients publish to the same; lanes hold a message or two. */
export class VoiceRun {
  readonly #random: (bound: number) => number;
  readonly #threads: SimThread[] = [];
  readonly #voices: Voice[] = [];
  readonly #options: SimOptions;
  readonly #left: { sayings: number; publishes: number }[] = [];
  readonly #message = new MessageView();
  readonly #result: VoiceResult;
  #underWayBytes = 0;

  constructor(options: SimOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed);
    const endpoints = options.threads + options.clients;
    const memory = createExchangeMemory(options.threads, laneBytes, options.clients);
    for (let client = options.threads; client < endpoints; client++) addEndpoint(memory, client);
    const logs = () => Array.from({ length: endpoints }, (): string[] => []);
    const [ordered, received] = [logs(), logs()] as const;
    const counts = { underWayBytesMax: 0, said: 0, answers: 0, runs: 0, done: false };
    this.#result = { ordered, received, taken: new Map(), outcomes: new Map(), ...counts };
    for (let self = 0; self < endpoints; self++) {
      const thread = new SimThread(memory, self, options, (...taken) => this.#onReceived(...taken));
      const sequencer = {
        deliver: (topic: Topic, message: MessageView) => thread.shard.deliver(topic, message),
        onAnswer: (inbox: Topic, message: MessageView) => thread.shard.onAnswer(inbox, message),
        onAnswers: (inbox: Topic, run: MessageView) => thread.shard.onAnswers(inbox, run),
        passOn: (topic: Topic, message: MessageView) => thread.shard.passOn(topic, message),
      };
      this.#recordOrder(self, thread);
      this.#threads.push(thread);
      this.#voices.push(new Voice(thread.router, thread.exchange, sequencer));
      this.#left.push({ sayings: self < options.threads ? sayingsEach : 0, publishes: publishesEach });
    }
  }

  run(): VoiceResult {
    const result = this.#result;
    const wanted = { lossy: false, index: 0, retired: false, heldBytes: 0 };
    for (const [self, thread] of this.#threads.entries()) {
      thread.subscribe({ subject: `in.${self}.*`, queue: '', ...wanted });
      thread.claim(`in.${self}.*`);
      thread.subscribe({ subject: 'all.*', queue: '', ...wanted });
      thread.subscribe({ subject: 'all.>', queue: 'workers', ...wanted });
      thread.exchange.publish();
    }
    for (let turn = 0; turn < turnsMax && !result.done; turn++) {
      this.#turn(this.#random(this.#threads.length));
      result.done = this.#left.every(({ sayings, publishes }) => sayings + publishes === 0) && this.#quiet;
    }
    return result;
  }

  get #quiet(): boolean {
    return this.#threads.every(({ exchange }) => exchange.quiet);
  }

  #turn(self: number): void {
    const { exchange, router } = this.#threads[self]!;
    const left = this.#left[self]!;
    if (this.#random(2) === 0) {
      exchange.drainControl();
      for (let burst = this.#random(8); burst > 0 && left.publishes > 0; burst--) if (!this.#publish(self)) break;
    }
    exchange.doWork(1 + this.#random(100));
    exchange.takeRelief();
    if (self < this.#options.threads)
      for (let burst = this.#random(8); burst > 0 && left.sayings > 0; burst--) if (!this.#say(self)) break;
    if (this.#random(10) === 0) router.topics.sweepStep(() => {});
    router.work.nextTurn();
    exchange.publish();
  }

  #publish(self: number): boolean {
    const left = this.#left[self]!;
    const subject = topics[this.#random(topics.length)]!;
    if (!this.#threads[self]!.publish(subject, `p${self}.${left.publishes}`, this.#payload())) return false;
    left.publishes--;
    return true;
  }

  #say(self: number): boolean {
    const left = this.#left[self]!;
    const isAnswer = this.#random(2) === 0;
    const home = this.#random(this.#threads.length);
    if (isAnswer && this.#random(3) === 0) return this.#sayRun(self, home);
    const subject = isAnswer ? `in.${home}.${this.#random(3)}` : topics[this.#random(topics.length)]!;
    const payload = this.#payload();
    const id = `v${self}.${left.sayings}`;
    const message = isAnswer ? this.#answer(id, payload) : this.#view(id, payload);
    const receivers = isAnswer ? 1 : this.#threads.length;
    this.#underWayBytes += payload.length * receivers;
    const outcome = this.#voices[self]!.say(new Span(latin1Bytes(subject)), 0, subject.length, message);
    this.#result.outcomes.set(outcome, (this.#result.outcomes.get(outcome) ?? 0) + 1);
    if (outcome !== 'said') {
      this.#underWayBytes -= payload.length * receivers;
      return false;
    }
    this.#result.underWayBytesMax = Math.max(this.#result.underWayBytesMax, this.#underWayBytes);
    this.#result.said++;
    left.sayings--;
    return true;
  }

  /** Answers to addresses of one inbox, as a run or not at all. */
  #sayRun(self: number, home: number): boolean {
    const left = this.#left[self]!;
    const run = new MessageView();
    run.addressed = true;
    run.count = Math.min(1 + this.#random(4), left.sayings);
    let text = '';
    for (let i = 0; i < run.count; i++) {
      run.replyStarts[i] = text.length;
      text += `in.${home}.${this.#random(3)}`;
      run.replyEnds[i] = text.length;
      run.starts[i] = text.length;
      text += `v${self}.${left.sayings - i} ${'a'.repeat(this.#random(100))}`;
      run.ends[i] = text.length;
      text += '\r\n';
    }
    run.span = new Span(latin1Bytes(text));
    const bytes = Array.from({ length: run.count }, (_, i) => run.ends[i] - text.indexOf(' ', run.starts[i]) - 1);
    const underWay = bytes.reduce((sum, each) => sum + each, 0);
    this.#underWayBytes += underWay;
    if (this.#voices[self]!.sayAll(run) !== 'said') {
      this.#underWayBytes -= underWay;
      return false;
    }
    this.#result.said += run.count;
    left.sayings -= run.count;
    return true;
  }

  #view(id: string, payload: Uint8Array): MessageView {
    const bytes = Buffer.concat([latin1Bytes(id), payload, latin1Bytes('\r\n')]);
    this.#message.set(new Span(bytes), id.length, id.length + payload.length);
    this.#message.setReply(0, id.length);
    return this.#message;
  }

  /** A message without a reply, whose payload begins with its id. */
  #answer(id: string, payload: Uint8Array): MessageView {
    const bytes = Buffer.concat([latin1Bytes(`${id} `), payload, latin1Bytes('\r\n')]);
    this.#message.set(new Span(bytes), 0, bytes.length - 2);
    return this.#message;
  }

  #payload(): Uint8Array {
    const sizes = [0, this.#random(100), this.#random(1500), this.#random(9000)];
    return new Uint8Array(sizes[this.#random(sizes.length)]!).fill(0x61);
  }

  /** Notes what a shard puts in order, its own or not. */
  #recordOrder(self: number, { shard }: SimThread): void {
    const deliver = shard.deliver.bind(shard);
    const onAnswer = shard.onAnswer.bind(shard);
    const onAnswers = shard.onAnswers.bind(shard);
    const order = this.#result.ordered[self]!;
    shard.deliver = (topic, message) => {
      for (let i = 0; i < message.count; i++)
        order.push(`${topic.text} ${message.replyText(i) || idIn(message.bytes)}`);
      deliver(topic, message);
    };
    shard.onAnswer = (inbox, message) => {
      const entry = `${shownSubject(message.shown!)} ${idIn(message.bytes)}`;
      if (!onAnswer(inbox, message)) return false;
      order.push(entry);
      this.#result.answers++;
      return true;
    };
    shard.onAnswers = (inbox, run) => {
      const entries = Array.from({ length: run.count }, (_, i) => {
        const id = idIn(run.bytes.subarray(run.starts[i], run.ends[i]));
        return `${latin1String(run.bytes, run.replyStarts[i], run.replyEnds[i])} ${id}`;
      });
      if (!onAnswers(inbox, run)) return false;
      order.push(...entries);
      this.#result.runs++;
      return true;
    };
  }

  #onReceived(gateway: number, subject: string, queue: string, id: string, payload: Uint8Array): void {
    if (queue !== '') {
      this.#result.taken.set(id, (this.#result.taken.get(id) ?? 0) + 1);
      return;
    }
    const told = id || idIn(payload);
    if (told.startsWith('v')) this.#underWayBytes -= payload.length - (id === '' ? told.length + 1 : 0);
    this.#result.received[gateway]!.push(`${subject} ${told}`);
  }
}

/** The id that an answer begins with. */
function idIn(payload: Uint8Array): string {
  return latin1String(payload, 0, payload.indexOf(0x20));
}

/** What may be said and not yet received by everybody, counted once for each gateway: what deliver lanes hold, and one message for each. */
export function saidUnderWayBytesMax(endpoints: number): number {
  return endpoints * endpoints * (laneBytes + 9000) * 2;
}
