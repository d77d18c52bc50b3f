import type { MessagePort } from 'node:worker_threads';
import { assert } from '../base/assert.js';
import { walksOpenMax } from '../base/limits.js';
import type { Page, ShardSummary, WalkName, Walks } from '../base/reports.js';
import type { Streams } from '../shard/streams/streams.js';
import { type AnswerMessage, answerCall, type CallHandlers, type CallMessage, Calls } from './calls.js';
import { type MonitorCalls, type PostedPage, postedPage, type SystemCalls } from './monitorCalls.js';
import { reportStatistics, type StatisticsParts } from './shardStatistics.js';

/** Where a walk has come to: gives the next page. */
type NextPage = () => Page | Promise<Page>;

export interface MonitoredParts extends StatisticsParts {
  readonly streams: Streams;
}

/** Answers the monitor on a shard's thread: a page at a time, so that what is told of very much is told over turns. */
export class MonitoredShard {
  readonly #parts: MonitoredParts;
  readonly #port: MessagePort;
  readonly #monitor: Calls<SystemCalls>;
  #passed = Promise.resolve();
  readonly #walks = new Map<number, { readonly name: WalkName; readonly next: NextPage }>();
  readonly #calls: CallHandlers<MonitorCalls> = {
    summary: () => this.#summary(),
    statistics: () => reportStatistics(this.#parts),
    consumersOf: (stream) => this.#parts.streams.consumersOf(stream),
    walk: (number, name, asked) => this.#begin(number, name, asked),
    more: (number) => this.#more(number),
    leave: (number) => void this.#walks.delete(number),
  };

  constructor(port: MessagePort, parts: MonitoredParts) {
    this.#parts = parts;
    this.#port = port;
    this.#monitor = new Calls<SystemCalls>((call) => port.postMessage(call));
    port.on('message', (message: CallMessage<MonitorCalls> | AnswerMessage) => {
      if (message.type === 'answer') this.#monitor.onAnswer(message);
      else answerCall(this.#calls, message, (answer) => port.postMessage(answer));
    });
  }

  /** Asks the monitor; resolves with null when it has gone, too. */
  readonly ask: Calls<SystemCalls>['call'] = (name, ...given) => this.#monitor.call(name, ...given);

  close(): void {
    this.#port.close();
    this.#monitor.abandon();
  }

  #begin(number: number, name: WalkName, asked: Walks[WalkName]['asked']): Promise<PostedPage> {
    assert(this.#walks.size < walksOpenMax, 'the monitor ends its walks');
    this.#walks.set(number, { name, next: this.#walk(name, asked) });
    return this.#more(number);
  }

  #walk(name: WalkName, asked: Walks[WalkName]['asked']): NextPage {
    const { gateway, streams } = this.#parts;
    switch (name) {
      case 'connections':
        return pageByPage(gateway.reportConnections(asked as Walks['connections']['asked']));
      case 'subscriptions':
        return pageByPage(gateway.reportSubscriptions(asked as Walks['subscriptions']['asked']));
      case 'streams':
        return streams.report(asked as Walks['streams']['asked']);
    }
  }

  async #more(number: number): Promise<PostedPage> {
    await this.#turnPassed();
    const walk = this.#walks.get(number);
    // one that was left, or had come to its end when the next page was asked for
    if (walk === undefined) return { ...nothing, packed: null };
    const page = await walk.next();
    if (page.isLast) this.#walks.delete(number);
    return postedPage(walk.name, page);
  }

  /** A page a turn: Node reads a port on for as long as more comes, and a monitor that asks for the next page at once would keep the sockets waiting for all of them. */
  #turnPassed(): Promise<void> {
    this.#passed = this.#passed.then(() => this.#parts.gateway.turn.passed());
    return this.#passed;
  }

  #summary(): Promise<ShardSummary> {
    return summaryOf(this.#parts);
  }
}

/** What a shard has in all. */
export async function summaryOf({ gateway, router, streams }: MonitoredParts): Promise<ShardSummary> {
  const { interest, topics } = router;
  return {
    interest: interest.size,
    topics: topics.size,
    pendingBytes: gateway.egress.pendingBytes,
    ...(await streams.usage()),
  };
}

const nothing: Page = { rows: [], passed: 0, isLast: true };

function pageByPage(pages: Generator<Omit<Page, 'isLast'>, void>): NextPage {
  return () => {
    const { value, done } = pages.next();
    return done === true ? nothing : { ...value, isLast: false };
  };
}
