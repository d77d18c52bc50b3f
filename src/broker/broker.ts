import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { BrokerStatistics } from '../base/brokerStatistics.js';
import { createTallies, mergedHistograms, readTally, sumTallies, tallyRow, tallyRows } from '../base/tally.js';
import { type EndpointSettings, endpointOptionNames } from '../client/endpointSettings.js';
import { ClosedError, FailedError } from '../client/errors.js';
import { createExchangeMemory, memoryOf } from '../exchange/memory.js';
import type { ListenerName } from '../gateway/doors/door.js';
import { makePasswordMemory } from '../gateway/logins/passwordMemo.js';
import { createBudgetMemory } from '../gateway/memoryBudget.js';
import { credentialNames, gatewayLimitNames } from '../gateway/options.js';
import { sumSummaries, toldOptionNames } from '../monitor/sources.js';
import { makeStatistics } from '../monitor/statistics.js';
import type { BrokerOptions } from '../options/brokerOptions.js';
import { reloadOptions, resolveOptions, type SomeOptions } from '../options/options.js';
import { OptionsError } from '../options/optionsError.js';
import type { OptionWords } from '../options/optionWords.js';
import { pick } from '../options/pick.js';
import { apiLevel, natsVersion, type ServerInfo } from '../protocol/info.js';
import type { MemoryBounds } from '../stream/memoryShare.js';
import { Acceptor } from './acceptor.js';
import type { BrokerData } from './brokerData.js';
import type { ShardCensus } from './census.js';
import { ClientHub } from './clientHub.js';
import { drain } from './drain.js';
import { logEvent } from './eventLog.js';
import { FaultLog } from './faultLog.js';
import { levelOf, logWhenNeeded } from './log.js';
import type { LevelledLogger, Logger } from './logger.js';
import { Monitor, type MonitorStart, makeMonitorPorts } from './monitor.js';
import type { MonitorSettings } from './monitorMessages.js';
import { refusal } from './refusal.js';
import { RefusalLog } from './refusalLog.js';
import type { BrokerPorts, BrokerServer, Reloaded } from './server.js';
import { ServerIdentity } from './serverIdentity.js';
import { type ShardWorker, startShardWorkers } from './shardWorker.js';
import { makeStreamPorts } from './streamLinks.js';
import { Telemetry, whyNoSpans } from './telemetry.js';
import type { ShardEvent, ShardSettings, TracedLines } from './threadMessages.js';
import { WakePipes } from './wakePipes.js';

/** How a broker is started, beyond its options. */
export interface ServerStart {
  /** Whether it listens for connections. */
  readonly listen: boolean;
  /** Threads of this process, this one among them, that may have an endpoint of their own. */
  readonly clients: number;
  /** The file that its shards' threads run, where it is not the broker's own: it makes a `ShardThread`, with what else is to live there. */
  readonly shardUrl?: URL;
}

/**
 * Starts a broker in this process, for clients that connect to it.
 *
 * @param given options that differ from their defaults
 * @param makeLog gives what it logs to, the same every time; by default as the options say
 * @throws OptionsError for options that are not allowed; ListenError, with the system's code (`EADDRINUSE`); DataError;
 * FailedError
 */
export async function startServer(given: Partial<BrokerOptions> = {}, makeLog?: () => Logger): Promise<BrokerServer> {
  return await startRunning(given, { listen: true, clients: 0 }, makeLog);
}

export async function startRunning(
  given: Partial<BrokerOptions>,
  start: ServerStart,
  makeLog?: () => Logger,
): Promise<RunningBroker> {
  const options = resolveOptions(given);
  const lack = options.otel ? whyNoSpans() : null;
  if (lack !== null) throw new OptionsError(`otel: ${lack}`);
  const log = makeLog ?? logWhenNeeded(options);
  const data = options.data === null ? null : await openData(options.data, options, log);
  const broker = new RunningBroker(options, start, log, data);
  await broker.start();
  return broker;
}

/** What that takes is loaded by who has data alone. */
async function openData(path: string, options: BrokerOptions, log: () => Logger): Promise<BrokerData> {
  const { BrokerData } = await import('./brokerData.js');
  return await BrokerData.open(path, options, log);
}

const schemes: Readonly<Record<ListenerName, string>> = { nats: 'nats', jsonl: 'tcp', websocket: 'ws' };

/** The ports that are to be opened, that of NATS last: whoever finds it finds all. */
function listenersOf({ port, jsonlPort, wsPort }: BrokerOptions): [ListenerName, number][] {
  const wanted = Object.entries({ jsonl: jsonlPort, websocket: wsPort, nats: port });
  return wanted.filter(([, listener]) => listener !== null) as [ListenerName, number][];
}

/** The threads of a broker, from their start to their end. */
export class RunningBroker implements BrokerServer {
  readonly ports: BrokerPorts = { pid: process.pid, nats: [], monitoring: [], websocket: [], jsonl: [] };
  readonly failed: Promise<FailedError>;
  readonly #makeLog: () => Logger;
  readonly #acceptor: Acceptor;
  readonly #pipes = new WakePipes();
  readonly #workers: readonly ShardWorker[];
  readonly #identity = new ServerIdentity();
  readonly #listeners: readonly [ListenerName, number][];
  /** The endpoints of this process's own threads. */
  readonly clients: ClientHub;
  readonly #shortage = new RefusalLog((reason, refused) =>
    this.#log.error({ refused }, `connections are refused: ${reason}`),
  );
  readonly #faults = new FaultLog((fault, text) => this.#log.warn(fault, text));
  readonly #data: BrokerData | null;
  /** Null where there is no such port. */
  readonly #monitor: Monitor | null;
  /** Null where messages have no spans. */
  readonly #telemetry: Telemetry | null;
  /** What the monitor reads. */
  readonly #counted: Pick<MonitorStart, 'tallies' | 'load' | 'passwords'>;
  readonly #startMs = Date.now();
  #configuredMs = Date.now();
  /** Why streams on disk take nothing any more. */
  #failure: string | null = null;
  #options: BrokerOptions;
  #port = 0;
  #isLameDuck = false;
  #ducked: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;

  /** @param makeLog is called whenever there is something to log, and gives the same every time; not before, since a logger takes long to load */
  constructor(options: BrokerOptions, start: ServerStart, makeLog: () => Logger, data: BrokerData | null) {
    this.#options = options;
    this.#data = data;
    this.#listeners = start.listen ? listenersOf(options) : [];
    const load = new SharedArrayBuffer(options.shards * 4);
    const tallies = createTallies(tallyRows.endpoint(options.shards + start.clients));
    this.#acceptor = new Acceptor(load, options.maxConnections, tallyRow(tallies, tallyRows.main(options.shards)), {
      onPlaced: (gateway, descriptor, id, remoteAddress, listener) => {
        if (this.#logsConnections)
          this.#log.debug({ connection: id, remoteAddress, listener, shard: gateway }, 'connection opened');
        this.#workers[gateway].post({ type: 'adopt', descriptor, id, remoteAddress, listener });
      },
      refusal: (listener, id, remoteAddress) => refusal(listener, this.#info(), id, remoteAddress),
      onShort: (reason) => this.#shortage.note(reason),
    });
    const endpoints = {
      shards: options.shards,
      endpoints: options.shards + start.clients,
      order: options.order,
      lastValue: options.lastValue,
      budget: createBudgetMemory(options.shards),
      hashSeed: randomBytes(4).readInt32LE(),
      exchange: createExchangeMemory(options.shards, options.laneBytes, start.clients),
      tallies,
    };
    const shared = {
      ...endpoints,
      pin: options.pin,
      listeners: this.#listeners.map(([listener]) => listener),
      lastValueBounds: { messagesMax: options.lastValueMax, bytesMax: options.lastValueMaxBytes },
      passwords: makePasswordMemory(),
      load,
    };
    const isWatched = options.httpPort !== null || options.sysUser !== null;
    const ways = start.listen && isWatched ? makeMonitorPorts(options.shards) : null;
    this.#monitor =
      ways === null
        ? null
        : new Monitor(ways.monitor, ({ remoteAddress, refused }) =>
            this.#log.warn({ remoteAddress, refused }, 'wrong credentials at the monitoring port'),
          );
    this.#counted = { tallies, load, passwords: shared.passwords };
    this.#telemetry = options.otel ? this.#makeTelemetry(tallies) : null;
    const ports = makeStreamPorts(options.shards);
    const streams = {
      server: { serverName: options.serverName, domain: options.domain ?? '', version: natsVersion, level: apiLevel },
      memory: streamMemoryOf(options),
      requestBytesMax: options.streamRequestBytes,
      place: data?.place ?? null,
    };
    const begin = (worker: ShardWorker, self: number): void =>
      worker.begin(
        {
          self,
          ...shared,
          exchange: memoryOf(shared.exchange, self),
          settings: this.#settings(),
          streams: { ...streams, ports: ports[self] },
          monitor: ways === null ? null : (ways.shards[self] as MessagePort),
          hasSystem: ways !== null && options.sysUser !== null,
          spans: this.#telemetry?.makeWay() ?? null,
        },
        (event) => this.#onEvent(event),
      );
    this.#workers = startShardWorkers(options.shards, begin, start.shardUrl);
    for (const worker of this.#workers) worker.onLines = (traced) => this.#onLines(traced);
    this.clients = new ClientHub(
      endpoints,
      this.#workers,
      () => this.#clientSettings(),
      () => this.#telemetry?.makeWay() ?? null,
    );
    const threads = this.#monitor === null ? this.#workers : [...this.#workers, this.#monitor];
    this.failed = Promise.race(threads.map(({ failed }) => failed)).then((error) => new FailedError(error));
    this.#makeLog = makeLog;
  }

  get #log(): Logger {
    return this.#makeLog();
  }

  #makeTelemetry(tallies: SharedArrayBuffer): Telemetry {
    const { otelEndpoint: endpoint, otelRate: rate, shards } = this.#options;
    const { server_id: serverId, shardcast: version } = this.#info();
    return new Telemetry(
      { endpoint, rate, serverId, version: `${version}`, tallies, row: tallyRows.telemetry(shards) },
      (reason, batches) => this.#log.warn({ batches }, `spans are not exported: ${reason}`),
    );
  }

  async start(): Promise<void> {
    try {
      // while the threads start; without its native module nothing of them must stay
      if (this.#listeners.length > 0) this.#acceptor.prepare();
      const failure = this.failed.then((error) => {
        throw error;
      });
      await Promise.race([this.#ready(), failure]);
      // not before: whoever is accepted is greeted at once
      await this.#listen();
    } catch (error) {
      this.#acceptor.close();
      await this.#end();
      throw error;
    }
  }

  async #ready(): Promise<void> {
    // while the threads come up
    this.#data?.expectSnapshots();
    const pipe = () => (this.#listeners.length > 0 ? this.#pipes.take() : null);
    await Promise.all(this.#workers.map((worker) => worker.call('ready', pipe())));
    await this.#data?.begin(this.#workers, this.#options);
    await this.#telemetry?.ready;
  }

  async #end(): Promise<void> {
    await this.#data?.endScrub();
    await Promise.all([this.#monitor?.end(), ...this.#workers.map((worker) => worker.end())]);
    await this.#telemetry?.end();
    this.#pipes.leave();
    this.#data?.close();
  }

  async #listen(): Promise<void> {
    if (this.#listeners.length === 0) return;
    await this.#openMonitor();
    const { host } = this.#options;
    const opened = await this.#acceptor.listen(this.#listeners, host);
    this.#listeners.forEach(([listener], i) => {
      this.ports[listener].push(addressOf(schemes[listener], host, opened[i] as number));
      if (listener === 'nats') this.#onNatsPort(opened[i]!);
    });
  }

  async #openMonitor(): Promise<void> {
    const { httpPort, httpHost, host } = this.#options;
    if (this.#monitor === null) return;
    const where = { host: httpHost ?? host, port: httpPort };
    const port = await this.#monitor.listen({ ...where, ...this.#counted, ...this.#monitorSettings() });
    if (httpPort !== null) this.ports.monitoring.push(addressOf('http', where.host, port));
  }

  #onEvent(event: ShardEvent): void {
    if (event.type === 'closed') this.#onClosed(event);
    else logEvent(this.#log, event);
    if (event.type !== 'diskFailed') return;
    this.#failure = event.reason;
    this.#monitor?.update(this.#monitorSettings());
  }

  /** Logs what connections and the broker say to each other. A logger of the user's own has it at level debug. */
  #onLines({ lines, dropped }: TracedLines): void {
    const log = this.#log;
    if (dropped > 0) log.warn({ dropped }, 'lines of the protocol are not logged: too many at once');
    const isOurs = 'protocol' in log;
    for (const line of lines) isOurs ? (log as LevelledLogger).protocol(line) : log.debug(line);
  }

  /** Ends are many: they are told where somebody has asked for them, those that are a client's fault in any case, and seldom. */
  #onClosed(event: Extract<ShardEvent, { type: 'closed' }>): void {
    if (this.#logsConnections) logEvent(this.#log, event);
    this.#faults.note(event);
  }

  get #logsConnections(): boolean {
    const level = levelOf(this.#options);
    return level === 'debug' || level === 'trace';
  }

  /** Every INFO names it. Must be called before any connection is handed on: in the turn in which the port was opened. */
  #onNatsPort(port: number): void {
    this.#port = port;
    this.#sendSettings();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#drainAndStop();
    return this.#stopped;
  }

  lameDuck(): Promise<void> {
    this.#ducked ??= this.#stopped ?? this.#beLameDuck();
    return this.#ducked;
  }

  reload(given: SomeOptions, words?: OptionWords): Reloaded {
    const { options, changed, refused } = reloadOptions(this.#options, given, words);
    if (this.#stopped !== null) return { changed: [], refused: [...changed, ...refused] };
    this.#options = options;
    this.#configuredMs = Date.now();
    this.#acceptor.maxConnections = options.maxConnections;
    if ((changed.includes('logLevel') || changed.includes('debug')) && 'level' in this.#log)
      (this.#log as LevelledLogger).level = levelOf(options);
    if (changed.length > 0) this.#sendSettings();
    return { changed, refused };
  }

  async census(): Promise<readonly ShardCensus[]> {
    const censuses = await Promise.all(this.#workers.map((worker) => worker.call('census')));
    return censuses.map((census) => {
      if (census === null) throw new ClosedError();
      return census;
    });
  }

  async stats(): Promise<BrokerStatistics> {
    const told = await Promise.all(this.#workers.map((worker) => worker.call('statistics')));
    const all = told.map((each) => {
      if (each === null) throw new ClosedError();
      return each;
    });
    const { tallies, load } = this.#counted;
    return makeStatistics({
      startMs: this.#startMs,
      connections: new Int32Array(load).reduce((sum, count) => sum + count, 0),
      tallies: sumTallies(tallies),
      histograms: mergedHistograms(tallies),
      shardTallies: all.map((_, shard) => readTally(tallies, shard)),
      summary: sumSummaries(all.map(({ summary }) => summary)),
      shards: all.map(({ statistics }) => statistics),
    });
  }

  async #beLameDuck(): Promise<void> {
    this.#acceptor.close();
    this.#isLameDuck = true;
    this.#monitor?.update(this.#monitorSettings());
    const { lameDuckGraceMs: graceMs, lameDuckDurationMs: durationMs } = this.#options;
    const order = { info: this.#info(), graceMs, durationMs };
    await Promise.race([Promise.all(this.#workers.map((worker) => worker.call('lameDuck', order))), this.failed]);
    await this.stop();
  }

  async #drainAndStop(): Promise<void> {
    this.#acceptor.close();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.#options.drainTimeoutMs);
    const overdue = new Promise<void>((resolve) => late.signal.addEventListener('abort', () => resolve()));
    await Promise.race([drain(this.#workers, this.clients, late.signal), overdue, this.failed]);
    clearTimeout(timer);
    if (late.signal.aborted) {
      const { connections } = this.#acceptor;
      this.#log.warn({ connections, unfinished: this.clients.unrest }, 'drain timed out');
    }
    await this.clients.close();
    await this.#closeStreams();
    await this.#end();
  }

  /** What is stored is on disk when this resolves, unless the disk does not answer. */
  async #closeStreams(): Promise<void> {
    const closed = Promise.all(this.#workers.map((worker) => worker.call('closeStreams'))).then(() => true);
    const late = sleep(this.#options.drainTimeoutMs, false, { ref: false });
    if (!(await Promise.race([closed, late, this.failed.then(() => true)])))
      this.#log.error('the disk did not take all that was stored in time: what was not acknowledged may be lost');
  }

  #sendSettings(): void {
    for (const worker of this.#workers) worker.post({ type: 'reload', settings: this.#settings() });
    this.clients.reload();
    this.#monitor?.update(this.#monitorSettings());
  }

  #monitorSettings(): MonitorSettings {
    const [url] = this.ports.websocket;
    return {
      credentials: pick(this.#options, credentialNames),
      facts: {
        info: this.#info(),
        options: pick(this.#options, toldOptionNames),
        webSocketPort: url === undefined ? null : Number(new URL(url).port),
        startMs: this.#startMs,
        configuredMs: this.#configuredMs,
        hasSystem: this.#options.sysUser !== null,
        failure: this.#failure,
      },
    };
  }

  #clientSettings(): EndpointSettings {
    return { ...this.#publishRules(), ...pick(this.#options, endpointOptionNames), server: this.#info() };
  }

  #settings(): ShardSettings {
    const options = this.#options;
    return {
      ...this.#publishRules(),
      limits: pick(options, gatewayLimitNames),
      credentials: pick(options, credentialNames),
      info: this.#info(),
      memoryMaxBytes: options.memoryMaxBytes,
      webSocket: pick(options, ['wsCompression', 'wsOrigins']),
    };
  }

  #publishRules(): Pick<ShardSettings, 'declared' | 'refusing'> {
    const { strict, topics, refuse } = this.#options;
    return { declared: strict ? topics : null, refusing: refuse };
  }

  #info(): ServerInfo {
    return this.#identity.info(this.#options, this.#port, this.#isLameDuck);
  }
}

function addressOf(scheme: string, host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What the streams of one shard may take. */
function streamMemoryOf({ shards, streamMemoryBytes, streamSubjectBytes, streamIdBytes }: BrokerOptions): MemoryBounds {
  const share = (bytes: number): number => Math.floor(bytes / shards);
  return {
    bytesMax: share(streamMemoryBytes),
    subjectBytesMax: share(streamSubjectBytes),
    idBytesMax: share(streamIdBytes),
  };
}
