import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { Work } from '../../src/base/work.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { MemoryStorages } from '../../src/log/memoryStorage.js';
import type { Topic } from '../../src/router/topic.js';
import { AnswerQueues } from '../../src/shard/streams/answerQueues.js';
import { Capture } from '../../src/shard/streams/capture.js';
import { DeferralQueues } from '../../src/shard/streams/deferralQueues.js';
import { AckTexts } from '../../src/shard/streams/pubAck.js';
import { ShardStreams } from '../../src/shard/streams/shardStreams.js';
import { Slices } from '../../src/shard/streams/slices.js';
import type { Steps } from '../../src/stream/steps.js';
import type { Stream } from '../../src/stream/stream.js';
import type { StreamConfig } from '../../src/stream/streamConfig.js';
import { simSetting } from '../log/durableRun.js';
import { SimDisk } from '../log/simDisk.js';
import { SimTimers } from '../log/simTimers.js';
import { randomFrom } from '../sim/random.js';
import { ample, configOf } from '../stream/streams.js';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The streams of one shard, whose disks are simulated, one a journal, and to whom anything is told. */
export class ShardOnDisk {
  readonly disk: SimDisk;
  /** Of the buffered journal. */
  readonly bufferedDisk = emptyDisk();
  /** On it nothing happens. */
  hanging: SimDisk | null = null;
  readonly streams: ShardStreams;
  /** What was acknowledged, by what was published. */
  readonly acks = new Map<string, Record<string, unknown>>();
  /** What plain subscribers have got. */
  readonly delivered: string[] = [];
  /** Tokens of what was delivered and stored. */
  readonly passed: number[] = [];
  /** Tokens of what was not stored, and why. */
  readonly refused = new Map<number, string>();
  readonly failures: string[] = [];
  /** Subjects whose publishers were told to wait. */
  readonly heldUp = new Set<string>();
  readonly #timers = new SimTimers();
  readonly #slices = new Slices(() => {});
  readonly #upkeep = new Slices(() => {});
  readonly #capture: Capture;
  readonly #answers: AnswerQueues;
  readonly #deferral: DeferralQueues;

  constructor(disk: SimDisk, number: () => number) {
    this.disk = disk;
    this.#answers = new AnswerQueues(
      { say: (span, start, end, message) => this.#say(span, start, end, message), sayAll: () => 'apart' },
      new AckTexts(''),
    );
    const onRefused = (token: number, { message }: Error) => this.refused.set(token, message);
    this.#deferral = new DeferralQueues({ pass: (...given) => this.#deliver(given[3]) }, onRefused);
    const clock = { us: 1, nowUs: () => clock.us++, notBefore: () => {} };
    const onBehind = ({ text }: Topic) => this.heldUp.add(text);
    const parts = {
      answers: this.#answers,
      deferral: this.#deferral,
      work: new Work(),
      onRefused,
      onTraced: () => {},
      onBehind,
    };
    this.#capture = new Capture(parts, clock, '');
    this.streams = new ShardStreams({
      storages: {
        memory: new MemoryStorages(),
        synced: new DurableStorages(simSetting(disk, this.#timers, number)),
        buffered: new DurableStorages(simSetting(this.bufferedDisk, this.#timers, number, true)),
      },
      memory: ample,
      capture: this.#capture,
      slices: this.#slices,
      upkeep: this.#upkeep,
      clock,
      onResumed: () => {},
      onGone: () => {},
      reports: { onCommitted: () => {}, onFailed: (reason) => this.failures.push(reason) },
    });
  }

  /** Publishes a run with replies: each payload acknowledged under its own text. With a token somebody waits until all have it. */
  publish(subject: string, payloads: readonly string[], syncToken = 0): void {
    const view = runWithReplies(payloads);
    view.syncToken = syncToken;
    this.publishRun(subject, view);
  }

  publishRun(subject: string, view: MessageView): void {
    const bytes = latin1Bytes(subject);
    const topic = { text: subject, kind: 'literal', wanted: true, span: new Span(bytes), start: 0, end: bytes.length };
    if (this.#capture.onMessages(topic as Topic, view) === 'seen') this.#deliver(view);
  }

  async create(config: object): Promise<Stream> {
    const full = fileConfig(config);
    await this.during(this.streams.create(full));
    return await this.streams.get(full.name);
  }

  /** What an update does once its file is written. */
  become(stream: Stream, config: object): void {
    this.#capture.remove(stream.config.subjects);
    stream.update(fileConfig(config));
    this.#capture.add(stream);
  }

  /** What a turn does beside what is put in order in it. */
  turn(): void {
    this.#slices.doWork();
    this.#upkeep.doWork();
    this.#deferral.doWork();
    this.#answers.doWork();
  }

  get #moving(): SimDisk[] {
    return [this.disk, this.bufferedDisk].filter((disk) => disk !== this.hanging);
  }

  /** Lets one thing happen to a disk, or be due; false when there is nothing. */
  async step(): Promise<boolean> {
    const happened = this.#moving.some((disk) => disk.step()) || this.#timers.step();
    await settled();
    this.turn();
    return happened;
  }

  /** Lets things happen until something is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    // whoever waits for it hears of its failure
    done.catch(() => {});
    while (!over) await this.step();
    return await done;
  }

  /** Lets things happen until there is nothing to do but to wait, and a little time pass. */
  async rest(): Promise<void> {
    for (let passed = 0; passed < 4; ) {
      if (this.#moving.every(({ pending }) => pending.length === 0) && !this.#timers.hasSoon) passed++;
      if (!(await this.step())) return;
    }
  }

  #say(span: Span, start: number, messageStart: number, message: MessageView): 'said' {
    const reply = latin1String(span.bytes, start, messageStart);
    this.acks.set(reply, JSON.parse(latin1String(message.bytes, message.payloadStart(0), message.ends[0]!)));
    return 'said';
  }

  #deliver(view: MessageView): boolean {
    if (view.syncToken !== 0) this.passed.push(view.syncToken);
    for (let i = 0; i < view.count; i++)
      this.delivered.push(latin1String(view.bytes, view.payloadStart(i), view.ends[i]!));
    return true;
  }
}

let number = 1;

export function emptyDisk(seed = 1): SimDisk {
  const disk = new SimDisk(randomFrom(seed), true);
  for (const directory of ['/journal', '/streams']) disk.directories.add(directory);
  return disk;
}

/** A shard that has started on a disk. */
export async function shardOn(disk = emptyDisk()): Promise<ShardOnDisk> {
  const shard = new ShardOnDisk(disk, () => number++);
  await shard.during(shard.streams.open());
  return shard;
}

/** What is known at once, as what is found in steps. */
export function inSteps<T>(known: (stream: Stream) => T): (stream: Stream) => Steps<T> {
  return function* (stream) {
    yield;
    return known(stream);
  };
}

function fileConfig(config: object): StreamConfig {
  return configOf({ no_ack: false, storage: 'file', ...config });
}

/** Messages whose replies are called like their first words. */
function runWithReplies(payloads: readonly string[]): MessageView {
  const view = new MessageView();
  let text = '';
  view.count = payloads.length;
  view.withReplies = true;
  for (const [i, payload] of payloads.entries()) {
    view.replyStarts[i] = text.length;
    text += payload.split(' ')[0];
    view.replyEnds[i] = text.length;
    text += ' ';
    view.starts[i] = text.length;
    text += payload;
    view.ends[i] = text.length;
    text += '\r\n';
  }
  view.span = new Span(latin1Bytes(text));
  return view;
}
