import type { MessagePort } from 'node:worker_threads';
import { load } from '#atomics';
import type { Page, ShardSummary, WalkName, Walks } from '../base/reports.js';
import type { ShardStatistics } from '../base/statistics.js';
import {
  type HistogramName,
  mergedHistograms,
  readTally,
  sumTallies,
  type TallyName,
  tally,
  tallyRow,
  tallyRows,
} from '../base/tally.js';
import { Authenticator } from '../gateway/authenticator.js';
import { PasswordChecks } from '../gateway/logins/passwordChecks.js';
import { AnswerTurns } from '../monitor/answerTurns.js';
import { type Door, MonitorServer } from '../monitor/httpServer.js';
import type { Facts, Sources } from '../monitor/sources.js';
import { SystemRequests } from '../monitor/system/systemRequests.js';
import { isLoopback } from '../options/optionTexts.js';
import { defaultConnectOptions } from '../protocol/connectOptions.js';
import { shardOfStream } from '../shard/streams/streamShard.js';
import { type AnswerMessage, answerCall, type CallHandlers, type CallMessage, Calls } from './calls.js';
import { type MonitorCalls, receivedPage, type SystemCalls } from './monitorCalls.js';
import type { FromMonitor, MonitorData, MonitorSettings, ToMonitor } from './monitorMessages.js';
import { PasswordPool } from './passwordPool.js';
import { RefusalLog } from './refusalLog.js';

/** The monitor's thread: an HTTP server, which reads what threads count and asks shards for what they hold. */
export class MonitorThread implements Sources {
  readonly address: { readonly host: string; port: number };
  readonly requests = new Map<string, number>();
  readonly shards: number;
  #settings: MonitorSettings;
  #door: Door;
  readonly #data: MonitorData;
  readonly #port: MessagePort;
  readonly #calls: readonly Calls<MonitorCalls>[];
  readonly #load: Int32Array;
  readonly #pool = new PasswordPool();
  readonly #passwords: PasswordChecks;
  readonly #server: MonitorServer;
  readonly #turns = new AnswerTurns();
  readonly #system = new SystemRequests(this, this.#turns);
  readonly #systemCalls: CallHandlers<SystemCalls> = {
    systemAnswer: (subject, body) => this.#system.answer(subject, body),
    statsz: () => this.#system.statsz(),
  };
  #walks = 0;

  constructor(data: MonitorData, port: MessagePort) {
    this.#data = data;
    this.#port = port;
    this.#settings = data;
    this.#load = new Int32Array(data.load);
    this.shards = data.shards.length;
    this.address = data.port === null ? { host: '', port: 0 } : { host: data.host, port: data.port };
    this.#calls = data.shards.map((shard) => {
      const calls = new Calls<MonitorCalls>((call) => shard.postMessage(call));
      shard.on('message', (message: AnswerMessage | CallMessage<SystemCalls>) => {
        if (message.type === 'answer') calls.onAnswer(message);
        else answerCall(this.#systemCalls, message, (answer) => shard.postMessage(answer));
      });
      return calls;
    });
    this.#passwords = new PasswordChecks(this.#pool.compare, data.passwords);
    this.#door = this.#makeDoor();
    const row = tallyRow(data.tallies, tallyRows.monitor(this.shards));
    const wrong = new RefusalLog((remoteAddress, refused) =>
      this.#tell({ type: 'wrongCredentials', remoteAddress, refused }),
    );
    this.#server = new MonitorServer({
      sources: this,
      turns: this.#turns,
      door: () => this.#door,
      isLoopback: isLoopback(data.host),
      requests: this.requests,
      onWrongCredentials: (remoteAddress) => {
        row[tally.wrongRequests]++;
        wrong.note(remoteAddress);
      },
    });
    port.on('message', (message: ToMonitor) => this.#onMessage(message));
    void this.#listen();
  }

  get facts(): Facts {
    return this.#settings.facts;
  }

  get tallies(): Readonly<Record<TallyName, number>> {
    return sumTallies(this.#data.tallies);
  }

  get shardTallies(): readonly Readonly<Record<TallyName, number>>[] {
    return Array.from({ length: this.shards }, (_, shard) => readTally(this.#data.tallies, shard));
  }

  get histograms(): Readonly<Record<HistogramName, Float64Array>> {
    return mergedHistograms(this.#data.tallies);
  }

  get connections(): number {
    return this.#load.reduce((sum, _, shard) => sum + load(this.#load, shard), 0);
  }

  async summaries(): Promise<readonly ShardSummary[]> {
    const all = await Promise.all(this.#calls.map((calls) => calls.call('summary')));
    return all.filter((summary) => summary !== null);
  }

  async statistics(): Promise<readonly ShardStatistics[]> {
    const all = await Promise.all(this.#calls.map((calls) => calls.call('statistics')));
    return all.filter((statistics) => statistics !== null);
  }

  async consumersOf(stream: string): Promise<readonly string[] | null> {
    return await this.#calls[shardOfStream(stream, this.shards)].call('consumersOf', stream);
  }

  async *walk<K extends WalkName>(name: K, asked: Walks[K]['asked'], shard: number): AsyncGenerator<Page<K>> {
    const calls = this.#calls[shard];
    const number = ++this.#walks;
    let page = await calls.call('walk', number, name, asked);
    try {
      while (page !== null) {
        // the next one is on its way while this one is read
        const next = page.isLast ? null : calls.call('more', number);
        yield receivedPage(page) as Page<K>;
        page = await next;
      }
    } finally {
      if (page !== null && !page.isLast) await calls.call('leave', number);
    }
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#data;
    try {
      if (port !== null) this.address.port = await this.#server.listen(host, port);
      this.#tell({ type: 'listening', port: this.address.port });
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      this.#tell({ type: 'refused', code, message });
    }
  }

  #onMessage(message: ToMonitor): void {
    if (message.type === 'settings') {
      this.#settings = message.settings;
      this.#door = this.#makeDoor();
      return;
    }
    this.#server.close();
    void this.#pool.end();
    for (const shard of this.#data.shards) shard.close();
    for (const calls of this.#calls) calls.abandon();
    this.#port.close();
  }

  #makeDoor(): Door {
    const authenticator = new Authenticator(this.#settings.credentials, this.#passwords);
    return {
      required: authenticator.required,
      verify: async (given, attempt) =>
        (await authenticator.verify({ ...defaultConnectOptions, ...given }, attempt)) !== null,
    };
  }

  #tell(message: FromMonitor): void {
    this.#port.postMessage(message);
  }
}
