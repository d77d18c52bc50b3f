import { setTimeout as delay } from 'node:timers/promises';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { shortMs } from './configs.js';
import type { Scenario, Step } from './scenarios.js';

type Json = Readonly<Record<string, unknown>>;

/** A consumer as its info says; empty for one that is not there. */
export interface SeenConsumer {
  readonly config?: Json;
  readonly delivered?: { readonly stream_seq: number };
  readonly num_ack_pending?: number;
  readonly num_pending?: number;
  readonly num_waiting?: number;
  readonly push_bound?: boolean;
}

/** All that can be seen of a stream and its consumers. */
export interface SideState {
  readonly state: { readonly messages: number; readonly last_seq: number };
  readonly consumers: { readonly A: SeenConsumer; readonly B: SeenConsumer; readonly C: SeenConsumer };
  readonly delivered: unknown;
  readonly came: unknown;
}

const heartbeat = ' 100 Idle Heartbeat ';
const patient = { timeout: 60_000 };
/** What is due was done that much later. */
const lateMs = 200;
/** Fields whose values are those of a moment or of a server. */
const passing =
  /^(ts|created|first_ts|last_ts|last_active|_nats\.ver|pause_remaining|pause_until|opt_start_time|pinned_client_id|pinned_ts)$/;
/** What nats-server has of one server alone, or counts another way. */
const unsaid = /^(num_deleted|lost|cluster)$/;
/** And what it does not know of all any more when it has been started again. */
const unsaidLater = /^(num_deleted|lost|cluster|last_active)$/;

/** One server of two to which the same is done; keeps what it says, without what differs from run to run. */
export class Side {
  #connection: NatsConnection;
  readonly #name: string;
  /** By consumer: what was delivered, in order. */
  readonly #delivered = new Map<string, Msg[]>();
  /** By address: what came there, in order. */
  readonly #came = new Map<string, string[]>();
  /** Of consumers that push: who takes what, by address and group. */
  readonly #listening = new Map<string, Subscription>();
  readonly #subscriptions: Subscription[] = [];
  /** What is not compared any more. */
  #unsaid = unsaid;
  #marked = '2000-01-01T00:00:00Z';
  /** What whoever is pinned is called. */
  #pin = 'nobody yet';

  /** @param name of the stream; what is compared calls it S, whatever it is */
  constructor(connection: NatsConnection, name: string) {
    this.#connection = connection;
    this.#name = name;
  }

  begin({ stream }: Scenario): Promise<unknown> {
    return this.#ask(`STREAM.CREATE.${this.#name}`, { name: this.#name, subjects: [`${this.#name}.>`], ...stream });
  }

  async end(): Promise<void> {
    await this.#ask(`STREAM.DELETE.${this.#name}`);
    for (const each of this.#subscriptions) each.unsubscribe();
  }

  /** Goes on where its server has been started again: whoever listened does so once more, and what was asked for is forgotten. */
  async moveTo(connection: NatsConnection): Promise<void> {
    this.#connection = connection;
    this.#unsaid = unsaidLater;
    this.#subscriptions.length = 0;
    const keys = [...this.#listening.keys()];
    this.#listening.clear();
    for (const key of keys) await this.#listen(...(key.split(' ') as [string, string]));
  }

  /** Does a step and returns what is answered; its number names the addresses of other answers. */
  async act(step: Step, number: number): Promise<unknown> {
    const stream = this.#name;
    switch (step.kind) {
      case 'publish':
        await this.#connection.request(`${stream}.${step.token}`, `${step.token} ${number}`, patient);
        return undefined;
      case 'create': {
        const { consumer: name, action } = step;
        const config = { ...step.config, durable_name: name, name };
        return this.#ask(`CONSUMER.CREATE.${stream}.${name}`, { stream_name: stream, config, action });
      }
      case 'listen':
        return this.#listen(step.consumer, step.group);
      case 'leave':
        return this.#leave(step.consumer);
      case 'pull':
        return this.#pull(step.consumer, step.asked, number);
      case 'ack': {
        const messages = this.#delivered.get(step.consumer) ?? [];
        const message = messages[step.nth % messages.length];
        if (message === undefined) return undefined;
        if (step.sync) return this.#say(message.reply!, step.verb, number);
        this.#connection.publish(message.reply!, step.verb);
        return this.#connection.flush();
      }
      case 'mark':
        await delay(2);
        this.#marked = new Date().toISOString();
        return delay(2);
      case 'wait':
        return delay(1.5 * shortMs);
      case 'unpin':
        return this.#ask(`CONSUMER.UNPIN.${stream}.${step.consumer}`, { group: 'g' });
      case 'delete':
        return this.#ask(`CONSUMER.DELETE.${stream}.${step.consumer}`);
      case 'reset':
        return this.#reset(step.consumer, step.asked);
      case 'pause':
        return this.#pause(step.consumer, step.until);
      case 'remove':
        return this.#ask(`STREAM.MSG.DELETE.${stream}`, { seq: step.sequence });
      case 'purge':
        return this.#ask(`STREAM.PURGE.${stream}`, step.which);
    }
  }

  /** All that can be seen of it now. */
  async state(): Promise<SideState> {
    const { state } = (await this.#ask(`STREAM.INFO.${this.#name}`)) as { state: SideState['state'] };
    const info = (name: string) => this.#ask(`CONSUMER.INFO.${this.#name}.${name}`) as Promise<SeenConsumer>;
    const [A, B, C] = await Promise.all([info('A'), info('B'), info('C')]);
    const delivered = [...this.#delivered].sort().map(([name, messages]) => [name, messages.map(this.#shown)]);
    return { state, consumers: { A, B, C }, delivered, came: [...this.#came].sort() };
  }

  /** `@` at the beginning of a text stands for the stream's name, `out` for where a consumer pushes to. */
  async #ask(subject: string, body?: Json): Promise<unknown> {
    const consumer = subject.split('.').at(-1) as string;
    const text = body === undefined ? '' : JSON.stringify(body).replace('@mark', this.#marked);
    const meant = text.replaceAll('"@', `"${this.#name}`).replaceAll('"out', `"${this.#addressOf(consumer)}`);
    return this.#normal((await this.#connection.request(`$JS.API.${subject}`, meant, patient)).json());
  }

  #pull(consumer: string, asked: Json, number: number): Promise<void> {
    const text = JSON.stringify(asked).replace('@pin', this.#pin);
    return this.#say(`$JS.API.CONSUMER.MSG.NEXT.${this.#name}.${consumer}`, text, number);
  }

  /** Of one that is not there nats-server says nothing. */
  async #reset(consumer: string, asked: Json): Promise<unknown> {
    const info = (await this.#ask(`CONSUMER.INFO.${this.#name}.${consumer}`)) as Json;
    return info.error === undefined ? this.#ask(`CONSUMER.RESET.${this.#name}.${consumer}`, asked) : undefined;
  }

  /** One that ends soon is over when this returns. */
  async #pause(consumer: string, until: 'later' | 'soon'): Promise<unknown> {
    const soon = new Date(Date.now() + shortMs).toISOString();
    const paused = { pause_until: until === 'soon' ? soon : '2100-01-01T00:00:00Z' };
    const answer = await this.#ask(`CONSUMER.PAUSE.${this.#name}.${consumer}`, paused);
    if (until === 'soon') await delay(shortMs + lateMs);
    return answer;
  }

  #addressOf(consumer: string): string {
    return `out.${this.#name}.${consumer}`;
  }

  /** Takes what a consumer pushes, in its group or in none. */
  async #listen(consumer: string, group: string): Promise<void> {
    const key = `${consumer} ${group}`;
    if (this.#listening.has(key)) return;
    const subscription = this.#subscribe(
      this.#addressOf(consumer),
      `pushed ${key}`,
      group === '' ? {} : { queue: group },
    );
    this.#listening.set(key, subscription);
    await this.#connection.flush();
  }

  async #leave(consumer: string): Promise<void> {
    for (const [key, subscription] of this.#listening)
      if (key.startsWith(consumer)) {
        subscription.unsubscribe();
        this.#listening.delete(key);
      }
    await this.#connection.flush();
  }

  async #say(subject: string, body: string, number: number): Promise<void> {
    const address = `box.${this.#name}.${number}`;
    this.#subscribe(address, `${number}`, {});
    this.#connection.publish(subject, body, { reply: address });
    await this.#connection.flush();
  }

  #subscribe(address: string, key: string, options: { queue?: string }): Subscription {
    const came = this.#came.get(key) ?? [];
    this.#came.set(key, came);
    const callback = (error: Error | null, message: Msg): void => {
      if (error) throw error;
      const { headers } = message;
      this.#pin = headers?.get('Nats-Pin-Id') || this.#pin;
      // how many of these come is a matter of time: the last one tells whether they do
      if (came.at(-1)?.includes(heartbeat)) came.pop();
      came.push(this.#shown(message));
      if (!message.reply?.startsWith('$JS.ACK.')) return;
      const consumer = message.reply.split('.')[3] as string;
      const before = this.#delivered.get(consumer);
      if (before === undefined) this.#delivered.set(consumer, [message]);
      else before.push(message);
    };
    const subscription = this.#connection.subscribe(address, { ...options, callback });
    this.#subscriptions.push(subscription);
    return subscription;
  }

  readonly #shown = (message: Msg): string => {
    const { subject, reply = '', headers } = message;
    const lines = [...(headers ?? [])].map(([name, values]) => `${name}: ${values.join(', ')}`).join(' ');
    const status = headers === undefined ? '' : `${headers.code} ${headers.description} ${lines} `;
    return this.#plain(`${subject} ${status}${reply} ${message.string()}`)
      .replace(/\.\d{19}\./g, '.T.')
      .replace(/Pin-Id: \S+/, 'Pin-Id: P');
  };

  #plain(text: string): string {
    return text.replaceAll(this.#name, 'S');
  }

  #normal(value: unknown): unknown {
    if (typeof value === 'string') return this.#plain(value);
    if (Array.isArray(value)) return value.map((each) => this.#normal(each));
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value).filter(([key]) => !this.#unsaid.test(key));
    // where nothing ever was, nats-server begins with 1 once it has been emptied
    const isNew = (value as { last_seq?: number }).last_seq === 0;
    const isPassing = (key: string): boolean => passing.test(key) || (isNew && key === 'first_seq');
    return Object.fromEntries(fields.map(([key, field]) => [key, isPassing(key) ? '-' : this.#normal(field)]));
  }
}
