import { fail } from 'node:assert/strict';
import { type ConsumerConfig, JetStreamApiError, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { publishedText } from './publishedText.js';
import { isRefusal } from './publishers.js';

/** Kinds of durable consumers, each of a stream of its own. */
export const workKinds = ['pull', 'push', 'all', 'queue', 'interest'] as const;
export type WorkKind = (typeof workKinds)[number];

const batch = 20;
/** Messages that may lie there and were not seen: whoever publishes waits then. */
const backlogMax = 400;
const underWayMax = 4;
const expiresNs = 1_000_000_000;
/** Longer than any life: nothing comes a second time in one of them, but for what was asked for. */
const waitNs = 600_000_000_000;
/** And at the end, when all that is left is to come. */
const shortWaitNs = 1_000_000_000;
/** Only so that a hang ends. */
const requestMs = 300_000;
/** What is sent where no confirmation is asked for, or nothing at all. */
const verbs = ['+ACK', '-NAK', '', ''];

/** Publishes to a stream and works through it with a durable consumer, through all lives; knows what was confirmed. */
export class Worker {
  readonly kind: WorkKind;
  readonly #below: (bound: number) => number;
  readonly #onDone: () => void;
  /** By sequence: what was acknowledged to whoever published it, and what was delivered. */
  readonly #published = new Map<number, string>();
  readonly #seen = new Map<number, string>();
  /** Acknowledged, and that was confirmed. */
  readonly #confirmed = new Set<number>();
  /** Acknowledged, confirmed or not: these may be gone. */
  readonly #acknowledged = new Set<number>();
  /** What was confirmed before the life began: the rest may be on its way while it is confirmed. */
  #before: ReadonlySet<number> = new Set();
  #index = 0;
  #isLast = false;

  /** @param below a random integer below a bound @param onDone after each confirmation */
  constructor(kind: WorkKind, below: (bound: number) => number, onDone: () => void) {
    this.kind = kind;
    this.#below = below;
    this.#onDone = onDone;
  }

  get confirmed(): number {
    return this.#confirmed.size;
  }

  get stream(): string {
    return `work-${this.kind}`;
  }

  /** Whether messages go once they are acknowledged. */
  get #empties(): boolean {
    return this.kind === 'queue' || this.kind === 'interest';
  }

  async create(manager: JetStreamManager): Promise<void> {
    const retention = { queue: 'workqueue', interest: 'interest' }[this.kind as string] ?? 'limits';
    const name = this.stream;
    await manager.streams.add({ name, subjects: [`${name}.*`], retention: retention as never, allow_direct: true });
    const config: Partial<ConsumerConfig> = {
      durable_name: 'C',
      ack_policy: (this.kind === 'all' ? 'all' : 'explicit') as never,
      ack_wait: waitNs,
      ...(this.kind === 'push' ? { deliver_subject: this.#deliverSubject } : {}),
    };
    await manager.consumers.add(name, config);
  }

  get #deliverSubject(): string {
    return `to.${this.stream}`;
  }

  /** Goes on until the broker is gone. */
  async run(connection: NatsConnection): Promise<void> {
    this.#before = new Set(this.#confirmed);
    await Promise.all([
      ...Array.from({ length: underWayMax }, () => this.#publish(connection)),
      this.#work(connection),
    ]);
  }

  /** Publishes one message after the other, until the disk takes no more. */
  async #publish(connection: NatsConnection): Promise<void> {
    for (;;) {
      if (this.#published.size - this.#seen.size > backlogMax) await connection.flush();
      else if (!(await this.#publishOne(connection))) return;
    }
  }

  async #publishOne(connection: NatsConnection): Promise<boolean> {
    const text = publishedText(this.kind, this.#index++);
    const answer = await connection.request(`${this.stream}.${this.#index % 7}`, text, { timeout: requestMs });
    const { seq, error } = answer.json<{ seq: number; error?: { err_code: number } }>();
    if (error !== undefined) {
      if (isRefusal(new JetStreamApiError(error as never))) return false;
      fail(answer.string());
    }
    this.#published.set(seq, text);
    return true;
  }

  async #work(connection: NatsConnection): Promise<void> {
    const subject = this.kind === 'push' ? this.#deliverSubject : createInbox();
    const subscription = connection.subscribe(subject);
    const judged: Promise<void>[] = [];
    let failure: unknown = null;
    const stop = (error: unknown): void => {
      failure ??= error;
      subscription.unsubscribe();
    };
    for await (const message of this.#messages(connection, subscription))
      judged.push(this.#judge(connection, message).catch(stop));
    await Promise.all(judged);
    if (failure !== null) throw failure;
  }

  /** What is delivered; a consumer that does not push is asked for more as soon as a request is done. */
  async *#messages(connection: NatsConnection, subscription: Subscription): AsyncIterable<Msg> {
    let left = 0;
    const ask = (): void => {
      left = batch;
      const asked = JSON.stringify({ batch, expires: expiresNs });
      const reply = subscription.getSubject();
      connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${this.stream}.C`, asked, { reply });
    };
    const pulls = this.kind !== 'push';
    if (pulls) ask();
    for await (const message of subscription) {
      if (message.reply?.startsWith('$JS.ACK.')) {
        yield message;
        left--;
      } else left = 0;
      if (pulls && left === 0) ask();
    }
  }

  async #judge(connection: NatsConnection, message: Msg): Promise<void> {
    const sequence = Number(message.reply!.split('.')[5]);
    this.#see(sequence, message.string());
    const confirms = this.#isLast || this.#below(10) < 7;
    const verb = confirms ? '+ACK' : (verbs[this.#below(verbs.length)] as string);
    // an empty one is an acknowledgement, too
    if (verb === '') return;
    if (verb === '+ACK') this.#acknowledge(sequence, this.#acknowledged);
    if (!confirms) return connection.publish(message.reply!, verb);
    await connection.request(message.reply!, verb, { timeout: requestMs });
    this.#acknowledge(sequence, this.#confirmed);
    this.#onDone();
  }

  #see(sequence: number, text: string): void {
    if (this.#before.has(sequence)) fail(`${this.stream}: ${sequence} was confirmed, and is delivered again`);
    const earlier = this.#seen.get(sequence) ?? this.#published.get(sequence) ?? text;
    if (earlier !== text) fail(`${this.stream}: ${sequence} was ${earlier}, is ${text}`);
    this.#seen.set(sequence, text);
  }

  /** With `all` those before it are acknowledged, too. */
  #acknowledge(sequence: number, into: Set<number>): void {
    if (this.kind !== 'all') into.add(sequence);
    else for (let each = sequence; each > 0 && !into.has(each); each--) into.add(each);
  }

  /** Looks at what is there after a crash. @param left all messages of the stream */
  check(left: readonly StoredMsg[]): void {
    const texts = new Map(left.map((message) => [message.seq, message.string()]));
    for (const [sequence, text] of this.#published) {
      const found = texts.get(sequence);
      const mayGo = this.#empties && this.#acknowledged.has(sequence);
      if (found !== text && !(mayGo && found === undefined))
        fail(`${this.stream}: ${sequence} was ${text}, is ${found}`);
    }
    if (!this.#empties) return;
    for (const sequence of this.#confirmed)
      if (texts.has(sequence)) fail(`${this.stream}: ${sequence} was confirmed, and is there`);
  }

  /** What was on its way when a broker was killed comes late: with `all` a later message may have been acknowledged by then. */
  #isPassed(sequence: number): boolean {
    return this.kind === 'all' && this.#acknowledged.has(sequence);
  }

  /** Works through all that is left: each message was seen then, and nothing that was confirmed came again. */
  async finish(connection: NatsConnection, manager: JetStreamManager): Promise<void> {
    this.#before = new Set(this.#confirmed);
    this.#isLast = true;
    await manager.consumers.update(this.stream, 'C', { ack_wait: shortWaitNs });
    const work = this.#work(connection);
    for (;;) {
      const { num_pending, num_ack_pending } = await manager.consumers.info(this.stream, 'C');
      if (num_pending + num_ack_pending === 0) break;
      // whatever fails is not waited for in vain
      await Promise.race([work, connection.flush()]);
    }
    for (const sequence of this.#published.keys())
      if (!this.#seen.has(sequence) && !this.#isPassed(sequence))
        fail(`${this.stream}: ${sequence} was never delivered`);
    const { state } = await manager.streams.info(this.stream);
    if (this.#empties && state.messages > 0) fail(`${this.stream}: ${state.messages} messages are left`);
    void work.catch(() => {});
  }
}
