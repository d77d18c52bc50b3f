import { byteText } from '../../base/bytes.js';
import type { StreamUsage } from '../../base/reports.js';
import type { OwnerChangeError, OwnerChanges } from '../../router/ownerChanges.js';
import { noOwner } from '../../router/routes.js';
import { ApiError, apiErrors, invalidConfig } from '../../stream/api/apiError.js';
import type { StreamSummary } from '../../stream/api/streamInfo.js';
import { checkReplicas, subjectsMeet, updatedConfig } from '../../stream/configRules.js';
import type { Steps } from '../../stream/steps.js';
import { type StreamConfig, sameConfig } from '../../stream/streamConfig.js';
import type { StreamAction } from './advisories.js';
import { Claims, claimOf } from './claims.js';
import { SideBySide } from './sideBySide.js';
import type { Slices } from './slices.js';
import { type CallFailure, isFailure, type StreamCalls, type StreamShards } from './streamCalls.js';
import { shardOfStream } from './streamShard.js';

/** What the catalogue works with. */
export interface CatalogueParts {
  readonly shards: number;
  readonly owners: OwnerChanges;
  readonly calls: StreamShards;
  /** For what goes over all streams. */
  readonly slices: Slices;
  /** What all memory streams together may reserve by `max_bytes`. */
  readonly memoryBytesMax: number;
  /** Told of each stream that was made, changed or removed. */
  readonly onAction: CatalogueListener;
}

export type CatalogueListener = (name: string, action: StreamAction) => void;

/**
 * Which streams there are. One for all shards: it alone decides on their names and subjects. Streams are made side by side; what changes or removes
 * one is done when nothing else is.
 */
export class Catalogue {
  readonly #shards: number;
  readonly #owners: OwnerChanges;
  readonly #calls: StreamShards;
  readonly #slices: Slices;
  readonly #configs = new Map<string, StreamConfig>();
  /** All names in order; null when they have changed. */
  #sorted: readonly string[] | null = null;
  readonly #changes = new SideBySide();
  readonly #claims: Claims;
  /** Settled when a stream is made of that name, or is not. */
  readonly #making = new Map<string, Promise<unknown>>();
  readonly #onAction: CatalogueListener;

  constructor({ shards, owners, calls, slices, memoryBytesMax, onAction }: CatalogueParts) {
    this.#shards = shards;
    this.#owners = owners;
    this.#calls = calls;
    this.#slices = slices;
    this.#claims = new Claims(memoryBytesMax, slices);
    this.#onAction = onAction;
  }

  /** Enters streams that there are already, and whose subjects their shards own. */
  know(configs: readonly StreamConfig[]): void {
    for (const config of configs) {
      this.#configs.set(config.name, config);
      this.#claims.add(claimOf(config));
    }
    this.#sorted = null;
  }

  /** Resolves when the stream's shard owns its subjects. */
  create(config: StreamConfig): Promise<StreamSummary> {
    const { name } = config;
    return this.#changes.beside(async () => {
      checkReplicas(config);
      for (let other = this.#making.get(name); other !== undefined; other = this.#making.get(name)) await other;
      const known = this.#configs.get(name);
      if (known !== undefined) return await this.#createdAgain(known, config);
      const made = this.#make(config);
      this.#making.set(
        name,
        made.then(ignore, ignore).then(() => this.#making.delete(name)),
      );
      return await made;
    });
  }

  async #make(config: StreamConfig): Promise<StreamSummary> {
    const { name } = config;
    await this.#claims.claim(claimOf(config));
    try {
      const created = await this.#ask('createStream', name, config);
      await this.#own(name, config.subjects).catch((error) => this.#unmake(name, error));
      this.#configs.set(name, config);
      this.#sorted = null;
      this.#onAction(name, 'create');
      return created;
    } catch (error) {
      this.#claims.release(claimOf(config));
      throw error;
    }
  }

  async #unmake(name: string, error: unknown): Promise<never> {
    await this.#ask('destroyStream', name, name);
    throw error;
  }

  /** @param wanted with all defaults filled in */
  update(wanted: StreamConfig): Promise<StreamSummary> {
    return this.#changes.alone(async () => {
      const known = this.#known(wanted.name);
      const config = updatedConfig(known, wanted);
      await this.#claimAnew(known, config);
      try {
        return await this.#change(known, config);
      } finally {
        // whatever became of it
        this.#claims.release(claimOf(config));
        this.#claims.add(claimOf(this.#known(config.name)));
      }
    });
  }

  async #claimAnew(known: StreamConfig, config: StreamConfig): Promise<void> {
    this.#claims.release(claimOf(known));
    try {
      await this.#claims.claim(claimOf(config));
    } catch (error) {
      this.#claims.add(claimOf(known));
      throw error;
    }
  }

  async #change(known: StreamConfig, config: StreamConfig): Promise<StreamSummary> {
    const gone = known.subjects.filter((subject) => !config.subjects.includes(subject));
    const come = config.subjects.filter((subject) => !known.subjects.includes(subject));
    await this.#disown(gone);
    // from now on what it has is known, whatever becomes of the rest
    this.#configs.set(config.name, {
      ...config,
      subjects: config.subjects.filter((subject) => !come.includes(subject)),
    });
    const updated = await this.#ask('updateStream', config.name, config);
    await this.#own(config.name, come);
    this.#configs.set(config.name, config);
    this.#onAction(config.name, 'modify');
    return updated;
  }

  /** Resolves when nothing of the stream is left. */
  delete(name: string): Promise<void> {
    return this.#changes.alone(async () => {
      const known = this.#known(name);
      const { subjects } = known;
      await this.#disown(subjects);
      try {
        await this.#ask('destroyStream', name, name);
      } catch (error) {
        // it is there: so it takes what it took
        await this.#own(name, subjects);
        throw error;
      }
      this.#configs.delete(name);
      this.#claims.release(claimOf(known));
      this.#sorted = null;
      this.#onAction(name, 'delete');
    });
  }

  /** The names of all streams whose subjects a filter meets, in order. @param filter '' for all */
  async names(filter: string): Promise<readonly string[]> {
    this.#sorted ??= [...this.#configs.keys()].sort(byBytes);
    return filter === '' ? this.#sorted : await this.#slices.run(this.#meeting(filter, this.#sorted));
  }

  *#meeting(filter: string, names: readonly string[]): Steps<string[]> {
    const found: string[] = [];
    for (const name of names) {
      // some may be gone meanwhile
      const subjects = this.subjectsOf(name) ?? [];
      if (subjects.some((subject) => subjectsMeet(byteText(subject), filter))) found.push(name);
      yield;
    }
    return found;
  }

  /** What a stream takes; null when there is none of that name. */
  subjectsOf(name: string): readonly string[] | null {
    return this.#configs.get(name)?.subjects ?? null;
  }

  /** Streams as their shards describe them, in the order of the names. */
  async list(names: readonly string[]): Promise<StreamSummary[]> {
    const wanted = Array.from({ length: this.#shards }, (): string[] => []);
    for (const name of names) wanted[this.#shardOf(name)].push(name);
    const found = await this.#askAll((shard) => this.#summaries(shard, wanted[shard]));
    const byName = new Map(found.flat().map((summary) => [summary.config.name, summary]));
    return names.flatMap((name) => byName.get(name) ?? []);
  }

  async #summaries(shard: number, names: readonly string[]): Promise<readonly StreamSummary[] | null> {
    return names.length === 0 ? [] : await this.#calls.call(shard, 'streams', names);
  }

  usage(): Promise<readonly StreamUsage[]> {
    return this.#askAll((shard) => this.#calls.call(shard, 'streamUsage'));
  }

  async #createdAgain(known: StreamConfig, config: StreamConfig): Promise<StreamSummary> {
    if (!sameConfig(known, config)) throw apiErrors.streamNameInUse;
    const [summary] = await this.list([config.name]);
    if (summary === undefined) throw apiErrors.streamNotFound;
    return summary;
  }

  #known(name: string): StreamConfig {
    const known = this.#configs.get(name);
    if (known === undefined) throw apiErrors.streamNotFound;
    return known;
  }

  /** Gives a stream's shard its subjects, or none of them. */
  async #own(name: string, subjects: readonly string[]): Promise<void> {
    const shard = this.#shardOf(name);
    const owned: string[] = [];
    for (const subject of subjects) {
      try {
        await this.#owners.change(byteText(subject), shard);
        owned.push(subject);
      } catch (error) {
        const { message, changed } = error as OwnerChangeError;
        await this.#disown(changed ? [...owned, subject] : owned);
        throw invalidConfig(`the stream can not take ${subject}: ${message}`);
      }
    }
  }

  async #disown(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) await this.#owners.change(byteText(subject), noOwner).catch(ignoreIfChanged);
  }

  #shardOf(name: string): number {
    return shardOfStream(name, this.#shards);
  }

  async #ask<K extends 'createStream' | 'updateStream' | 'destroyStream'>(
    call: K,
    name: string,
    ...given: Parameters<StreamCalls[K]>
  ): Promise<Exclude<ReturnType<StreamCalls[K]>, CallFailure>> {
    const answer = await this.#calls.call(this.#shardOf(name), call, ...given);
    if (answer !== null && isFailure(answer)) throw new ApiError(answer.code, answer.errCode, answer.description);
    return answer as Exclude<ReturnType<StreamCalls[K]>, CallFailure>;
  }

  async #askAll<T>(ask: (shard: number) => Promise<T | null>): Promise<T[]> {
    const shards = Array.from({ length: this.#shards }, (_, shard) => shard);
    const answers = await Promise.all(shards.map(ask));
    return answers.filter((answer) => answer !== null);
  }
}

function ignore(): void {}

/** A shard that answers late has nevertheless been told. */
function ignoreIfChanged(error: OwnerChangeError): void {
  if (!error.changed) throw invalidConfig(error.message);
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
