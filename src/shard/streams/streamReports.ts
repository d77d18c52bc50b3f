import { streamReportBytes } from '../../base/limits.js';
import type { Page, StreamReport, Walks } from '../../base/reports.js';
import { timeText } from '../../base/timeText.js';
import { type JsonObject, writeJson } from '../../stream/api/json.js';
import { type ServerFacts, stateJson, summaryOf } from '../../stream/api/streamInfo.js';
import type { Steps } from '../../stream/steps.js';
import type { Stream } from '../../stream/stream.js';
import { configJson } from '../../stream/streamConfig.js';
import type { Clock } from '../../stream/times.js';
import { consumerInfo } from '../consumers/consumerEndpoints.js';
import type { ShardConsumers } from '../consumers/shardConsumers.js';
import type { ShardStreams } from './shardStreams.js';

export interface StreamReportSite {
  readonly streams: ShardStreams;
  readonly consumers: ShardConsumers;
  readonly clock: Clock;
  readonly server: ServerFacts;
}

/** Tells of the streams that a shard had when it was begun, by their names in order, as far as they are there still. */
export class StreamReports {
  readonly #site: StreamReportSite;
  readonly #asked: Walks['streams']['asked'];
  readonly #names: readonly string[];
  #next = 0;

  constructor(site: StreamReportSite, asked: Walks['streams']['asked']) {
    this.#site = site;
    this.#asked = asked;
    this.#names = site.streams.names;
  }

  /** The next page: as many as make one message. */
  *page(): Steps<Page<'streams'>> {
    const rows: StreamReport[] = [];
    let bytes = 0;
    while (this.#next < this.#names.length && bytes < streamReportBytes) {
      const stream = this.#site.streams.peek(this.#names[this.#next++] as string);
      if (stream === null) continue;
      const json = writeJson(yield* this.#detail(stream));
      rows.push({ name: stream.name, json });
      bytes += json.length;
      yield;
    }
    return { rows, passed: 0, isLast: this.#next === this.#names.length };
  }

  *#detail(stream: Stream): Steps<JsonObject> {
    const { clock, server, consumers } = this.#site;
    const details: JsonObject[] = [];
    if (this.#asked.consumers)
      for (const served of consumers.of(stream.name)) {
        const info = yield* consumerInfo(clock, served, null);
        details.push({ ...info, config: this.#asked.config ? info.config : undefined });
        yield;
      }
    return {
      name: stream.name,
      created: timeText(stream.createdUs),
      cluster: { leader: server.serverName },
      config: this.#asked.config ? configJson(stream.config, null) : undefined,
      state: stateJson(summaryOf(stream)),
      consumer_detail: details.length === 0 ? undefined : details,
    };
  }
}
