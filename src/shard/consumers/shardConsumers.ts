import { randomUUID } from 'node:crypto';
import { Alarm } from '../../base/alarm.js';
import type { Role } from '../../base/role.js';
import { ApiError, apiErrors } from '../../stream/api/apiError.js';
import type { Consumer } from '../../stream/consumer/consumer.js';
import { type ConsumerConfig, type ConsumerRequest, sameConsumer } from '../../stream/consumerConfig.js';
import { checkBeside, effectiveConsumer, filtersOf, sameFilters, updatedConsumer } from '../../stream/consumerRules.js';
import type { Steps } from '../../stream/steps.js';
import type { Stream } from '../../stream/stream.js';
import { SubjectFilter } from '../../stream/subjectFilter.js';
import type { ConsumerSite } from './consumerSite.js';
import { DueConsumers } from './dueConsumers.js';
import { type ConsumerHost, ServedConsumer } from './servedConsumer.js';

const consumersMaxDefault = 1000n;
const nameLength = 8;

/** The consumers of one stream, and what they know of it. */
interface OfStream {
  readonly stream: Stream;
  readonly served: Map<string, ServedConsumer>;
  /** Those that wait for something new. */
  readonly waiting: Set<ServedConsumer>;
  /** Up to where they know of it. */
  seenNext: number;
}

/** The consumers of the streams of one shard. */
export class ShardConsumers implements Role, ConsumerHost {
  readonly #site: ConsumerSite;
  readonly #byStream = new Map<string, OfStream>();
  /** Those that deliver to subjects. */
  readonly #pushing = new Set<ServedConsumer>();
  /** Those that have something to do. */
  readonly #ready = new Set<ServedConsumer>();
  readonly #alarm: Alarm;
  readonly #due = new DueConsumers<ServedConsumer>();
  #interestVersion = -1;

  constructor(site: ConsumerSite) {
    this.#site = site;
    this.#alarm = new Alarm(() => site.requestTurn());
  }

  /** Those of a stream, by their names in order. */
  of(stream: string): readonly ServedConsumer[] {
    const consumers = this.#byStream.get(stream)?.served;
    if (consumers === undefined) return [];
    return [...consumers].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, consumer]) => consumer);
  }

  /** @throws ApiError when there is none */
  get(stream: string, name: string): ServedConsumer {
    const found = this.find(stream, name);
    if (found === null) throw apiErrors.consumerNotFound;
    return found;
  }

  find(stream: string, name: string): ServedConsumer | null {
    return this.#byStream.get(stream)?.served.get(name) ?? null;
  }

  /** Makes a consumer, which is to `begin`, or changes one, as it was asked for. @throws ApiError */
  *put(request: ConsumerRequest, stream: Stream): Steps<ServedConsumer> {
    const config = effectiveConsumer(request, stream.config);
    const known = config.name === '' ? null : this.find(stream.name, config.name);
    if (known !== null && request.action !== 'create') return this.#update(known, config);
    if (known !== null) {
      if (!sameConsumer(known.consumer.config, config)) throw new ApiError(400, 10148, 'consumer already exists');
      return known;
    }
    if (request.action === 'update') throw new ApiError(400, 10149, 'consumer does not exist');
    return yield* this.#create(config, stream);
  }

  #update(known: ServedConsumer, wanted: ConsumerConfig): ServedConsumer {
    const { config } = known.consumer;
    const updated = updatedConsumer(config, wanted);
    if (updated.deliver_subject !== config.deliver_subject && known.push?.isBound)
      throw new ApiError(400, 10013, 'consumer name already in use');
    known.update(updated);
    if (!sameFilters(config, updated)) known.dropUnneeded();
    return known;
  }

  *#create(config: ConsumerConfig, stream: Stream): Steps<ServedConsumer> {
    this.#checkRoom(stream);
    checkBeside(config, stream.config, configsOf(stream.consumers));
    const { next, lasts } = yield* beginningOf(config, stream);
    // somebody else may have made one meanwhile
    if (config.name !== '' && this.find(stream.name, config.name) !== null)
      throw new ApiError(400, 10148, 'consumer already exists');
    const name = config.name || randomUUID().replaceAll('-', '').slice(0, nameLength);
    const createdUs = this.#site.clock.nowUs();
    const served = new ServedConsumer(config, { name, createdUs, next, lasts }, stream, this.#site, this);
    stream.consumers.add(served.consumer);
    this.#enter(served);
    yield* served.consumer.upcoming.recount();
    this.#site.advisories.sayAction(served.consumer, 'create');
    return served;
  }

  #checkRoom(stream: Stream): void {
    const { max_consumers } = stream.config;
    const max = max_consumers > 0n ? max_consumers : consumersMaxDefault;
    if (BigInt(stream.consumers.size) >= max) throw new ApiError(400, 10026, 'maximum consumers limit reached');
  }

  /** Takes up the consumers that a stream has kept; before anything is done with it. */
  resume(stream: Stream): void {
    for (const [key, state] of stream.consumers.takeKept()) {
      const { config, name, createdUs, progress, lasts } = state;
      const left = lasts.filter((sequence) => sequence >= progress.nextLast && stream.has(sequence));
      const served = new ServedConsumer(
        config,
        { name, createdUs, next: progress.next, lasts: left },
        stream,
        this.#site,
        this,
      );
      served.consumer.resume(state);
      stream.consumers.resume(key, served.consumer);
      this.#enter(served);
      served.begin();
    }
  }

  #enter(served: ServedConsumer): void {
    const { stream, name } = served.consumer;
    let ofStream = this.#byStream.get(stream.name);
    if (ofStream === undefined) {
      ofStream = { stream, served: new Map(), waiting: new Set(), seenNext: 0 };
      this.#byStream.set(stream.name, ofStream);
    }
    ofStream.served.set(name, served);
    if (served.push !== null) {
      this.#pushing.add(served);
      served.onInterest(this.#site.nowMs());
    }
  }

  /** @throws ApiError when there is none */
  delete(stream: string, name: string): void {
    this.#remove(this.get(stream, name));
  }

  #remove(served: ServedConsumer): void {
    const { consumer } = served;
    const { stream, name } = consumer;
    served.end();
    this.#pushing.delete(served);
    stream.consumers.remove(consumer);
    const { served: left, waiting } = this.#byStream.get(stream.name) as OfStream;
    left.delete(name);
    waiting.delete(served);
    if (left.size === 0) this.#byStream.delete(stream.name);
    this.#site.advisories.sayAction(consumer, 'delete');
    // what nobody else is interested in may go
    void this.#site.slices.run(stream.consumers.settle(firstKept(consumer)));
  }

  /** A stream has gone. */
  deleteAll(stream: string): void {
    for (const served of this.of(stream)) {
      served.end();
      this.#pushing.delete(served);
      this.#site.advisories.sayAction(served.consumer, 'delete');
    }
    this.#byStream.delete(stream);
  }

  /** The server stops: whoever waits is told, and nothing more is delivered. What is acknowledged is still noted. */
  stopDelivering(): void {
    for (const { served } of this.#byStream.values()) for (const consumer of served.values()) consumer.stopDelivering();
    this.#alarm.clear();
  }

  onReady(served: ServedConsumer): void {
    this.#ready.add(served);
  }

  onDue(served: ServedConsumer): void {
    const before = this.#due.firstMs;
    this.#due.list(served);
    if (this.#due.firstMs < before) this.#alarm.set(this.#due.firstMs, performance.now());
  }

  onWaiting(served: ServedConsumer): void {
    this.#byStream.get(served.consumer.stream.name)?.waiting.add(served);
  }

  doWork(): boolean {
    if (this.#byStream.size === 0) return false;
    const nowMs = this.#site.nowMs();
    this.#lookForNews();
    this.#lookWhoListens(nowMs);
    if (nowMs >= this.#due.firstMs) this.#lookForDue(nowMs);
    if (this.#ready.size === 0) return false;
    const ready = [...this.#ready];
    this.#ready.clear();
    for (const served of ready) this.#work(served, nowMs);
    return true;
  }

  /** Streams that have something new tell their consumers. */
  #lookForNews(): void {
    for (const ofStream of this.#byStream.values()) {
      const { committedNext } = ofStream.stream.storage;
      if (committedNext === ofStream.seenNext) continue;
      ofStream.seenNext = committedNext;
      for (const served of ofStream.waiting) if (!served.onStored()) ofStream.waiting.delete(served);
    }
  }

  #lookWhoListens(nowMs: number): void {
    const version = this.#site.interestVersion();
    if (version === this.#interestVersion) return;
    this.#interestVersion = version;
    for (const served of this.#pushing) served.onInterest(nowMs);
  }

  #lookForDue(nowMs: number): void {
    for (let due = this.#due.next(nowMs); due !== null; due = this.#due.next(nowMs)) this.#ready.add(due);
    if (this.#due.firstMs < Number.POSITIVE_INFINITY) this.#alarm.set(this.#due.firstMs, performance.now());
  }

  #work(served: ServedConsumer, nowMs: number): void {
    if (served.isGone) return;
    const isDue = nowMs >= served.dueMs;
    served.doWork(nowMs);
    served.note(nowMs);
    if (isDue && served.isInactive(nowMs)) this.#remove(served);
  }
}

/** The first message that an interest stream may have for a consumer alone: before its beginning, too, it takes what comes. */
function firstKept({ config, ackFloor }: Consumer): number {
  return config.deliver_policy === 'by_start_sequence' ? 1 : ackFloor.sequence + 1;
}

function* configsOf(consumers: Iterable<Consumer>): IterableIterator<ConsumerConfig> {
  for (const { config } of consumers) yield config;
}

/** Where a consumer begins. */
function* beginningOf(
  config: ConsumerConfig,
  stream: Stream,
): Steps<{ next: number; lasts: readonly number[] | null }> {
  if (config.deliver_policy === 'last_per_subject' && stream.limits.perSubjectMax !== 1)
    return yield* lastsOf(config, stream);
  return { next: yield* firstFor(config, stream), lasts: null };
}

function* lastsOf(config: ConsumerConfig, stream: Stream): Steps<{ next: number; lasts: readonly number[] | null }> {
  const sequences: number[] = [];
  for (const filter of filtersOf(config)) sequences.push(...(yield* stream.search.lastsOf(new SubjectFilter(filter))));
  sequences.sort((one, other) => one - other);
  if (sequences.length === 0) return { next: Math.max(1, stream.firstSequence, stream.lastSequence), lasts: null };
  return { next: sequences[0], lasts: sequences };
}

function* firstFor(config: ConsumerConfig, stream: Stream): Steps<number> {
  const first = Math.max(1, stream.firstSequence);
  const behind = stream.lastSequence + 1;
  switch (config.deliver_policy) {
    case 'all':
    case 'last_per_subject':
      return first;
    case 'new':
      return behind;
    case 'by_start_sequence':
      return Math.max(first, Number(config.opt_start_seq));
    case 'by_start_time':
      return stream.search.firstSince(config.opt_start_time?.timeUs ?? 0) || behind;
    default: {
      let last = 0;
      const filters = filtersOf(config);
      for (const filter of filters.length === 0 ? ['>'] : filters)
        last = Math.max(last, yield* stream.search.lastOf(new SubjectFilter(filter)));
      return last || first;
    }
  }
}
