import { mainAccount } from '../../base/account.js';
import { workKeepMs, workMovedPerTurn } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import type { GatewayProxy, ShardProxy } from '../../exchange/proxies.js';
import { subjectMatches } from '../../protocol/subject.js';
import type { QueueInterest } from '../../router/queueInterest.js';
import type { QueueRoute } from '../../router/queueRoute.js';
import { requeue } from '../../router/requeue.js';
import type { Router } from '../../router/router.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessage, HeldMessages } from '../../subscriber/heldMessages.js';
import type { SyncReporter } from '../shard.js';
import { GroupWork } from './groupWork.js';
import type { WaitingLine } from './waitingLine.js';
import { type WorkLoss, WorkLosses } from './workLosses.js';

/** What work that waits needs of the thread around it. */
export interface WorkHost {
  /** Whether no more should be delivered for now. */
  readonly congested: boolean;
  /** Over how long losses are counted before they are told. */
  readonly lossWindowMs: number;
  /** More would wait of a group than may: publishers of the topic wait for it, unless it returns false. */
  onTooMuch(topic: Topic, work: GroupWork): boolean;
  /** Something about who holds publishers up changes. */
  onChange(work: GroupWork, change: () => void): void;
  /** Little enough waits. */
  onEnoughTaken(work: GroupWork): void;
  onLost(why: WorkLoss, queue: string, messages: number): void;
}

/**
 * Hands out the messages of queue groups whose members bound what they have in flight. A message goes to a gateway that has told to have
 * room; when there is none it waits here, on its topic's shard, for whoever has room first, on whichever thread. So no thread keeps
 * what it cannot do itself.
 */
export class Works {
  /** For how long what waits for a group without members is kept, in milliseconds. */
  keepMs = workKeepMs;
  readonly #router: Router;
  readonly #gateways: GatewayProxy<Topic>[];
  readonly #self: number;
  readonly #held: HeldMessages<Topic>;
  readonly #host: WorkHost;
  readonly #sync: SyncReporter | null;
  readonly #works = new Map<string, GroupWork>();
  readonly #losses = new WorkLosses();
  /** Members that may have room, and lines to which something has come back. */
  readonly #news = new Set<QueueInterest>();
  readonly #tries = new Set<WaitingLine>();
  /** Lines of groups without members, and since when, the oldest first. */
  readonly #abandoned = new Map<WaitingLine, number>();
  #moves = 0;
  #nowMs = 0;
  readonly #view = new MessageView();

  constructor(
    router: Router,
    gateways: GatewayProxy<Topic>[],
    self: number,
    held: HeldMessages<Topic>,
    host: WorkHost,
    sync: SyncReporter | null,
  ) {
    this.#router = router;
    this.#gateways = gateways;
    this.#self = self;
    this.#held = held;
    this.#host = host;
    this.#sync = sync;
    router.interest.onRoom = (part, gateway) => this.#onRoom(part, gateway);
  }

  /** Messages that wait. */
  get waiting(): number {
    let count = 0;
    for (const work of this.#works.values()) count += work.count;
    return count;
  }

  /** Visits every group for which something waits. */
  visit(see: (work: GroupWork) => void): void {
    for (const work of this.#works.values()) see(work);
  }

  /** Drops all that waits for a group: others need the memory. Returns how many messages that were. */
  drop(work: GroupWork): number {
    let messages = 0;
    for (const line of [...work.lines]) messages += this.#empty(line);
    return messages;
  }

  /** Whether something may be moved. */
  get any(): boolean {
    return this.#news.size > 0 || this.#tries.size > 0;
  }

  /** Hands out message `index` of a run, behind what waits of its topic. */
  deliver(topic: Topic, route: QueueRoute, message: MessageView, index: number): void {
    const waits = this.#works.get(route.name.text)?.has(topic, message.exceptConnection) === true;
    const gateway = waits ? -1 : this.#choose(route, -1);
    if (gateway >= 0) this.#send(topic, route, gateway, message, index);
    else this.#admit(topic, route, message, index);
  }

  /** A gateway had no room after all, or the member that had the message has gone. */
  takeBack(topic: Topic, queue: string, message: MessageView, index: number, gateway: number): void {
    const line = this.#keep(topic, queue, message, index, true);
    if (message.exceptConnection !== 0) line.avoid = gateway;
    if (message.syncToken !== 0) this.#sync?.syncExpected(message.syncToken, gateway, -1);
    this.#tries.add(line);
  }

  /** Has the owner of a pattern, which is another now, hand out what waits here, before all that is published from now on. */
  handOver(pattern: string, shards: readonly ShardProxy<Topic>[]): void {
    for (const work of [...this.#works.values()])
      for (const line of [...work.lines])
        if (subjectMatches(pattern, line.topic.text)) this.#handOver(work, line, shards);
  }

  #handOver(work: GroupWork, line: WaitingLine, shards: readonly ShardProxy<Topic>[]): void {
    const { topic } = this.#freshen(line);
    if (topic.owner === this.#self) return;
    for (let held = line.first; held !== null; held = line.first) {
      this.#held.show(held, this.#view);
      this.#take(work, line, held);
      this.#view.work = true;
      requeue(this.#router.interest.queueNames, shards[topic.owner], topic, line.queue, this.#view, 0);
      this.#view.work = false;
    }
  }

  /** Gives what waits to members with room, so much of it a turn. */
  doWork(): void {
    if (!this.any) return;
    this.#moves = workMovedPerTurn;
    for (const line of this.#tries) {
      while (this.#mayMove && this.#moveFirst(line));
      if (!this.#mayMove) return;
      this.#tries.delete(line);
    }
    for (const part of this.#news) {
      this.#moveFor(part);
      if (!this.#mayMove) return;
      this.#news.delete(part);
    }
  }

  /** Gives up what has waited for too long for a group without members, and tells what was lost. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#giveUpAbandoned(nowMs);
    this.#losses.tell(nowMs, this.#host.lossWindowMs, (...lost) => this.#host.onLost(...lost));
  }

  #giveUpAbandoned(nowMs: number): void {
    for (const [line, sinceMs] of this.#abandoned) {
      if (nowMs - sinceMs < this.keepMs) return;
      this.#abandoned.delete(line);
      if (this.#routeOf(line) === undefined) this.#giveUp(line);
    }
  }

  get #mayMove(): boolean {
    return this.#moves > 0 && !this.#host.congested;
  }

  #onRoom(part: QueueInterest, gateway: number): void {
    // groups of other accounts have no work, whatever their names
    if (part.account !== mainAccount) return;
    const work = this.#works.get(part.name.text);
    if (work === undefined) return;
    for (const line of work.echoless) if (line.avoid === gateway) line.avoid = -1;
    this.#news.add(part);
  }

  /** Gives a message each of the lines that a part of a group takes, in turn, until nobody has room. */
  #moveFor(part: QueueInterest): void {
    const lines = this.#works.get(part.name.text)?.linesFor(part);
    for (const line of lines ?? []) {
      if (!this.#mayMove) return;
      if (this.#moveFirst(line)) {
        if (lines?.delete(line)) lines.add(line);
      } else if (line.exceptConnection === 0 && part.empty === false) return;
    }
  }

  /** Gives the first message of a line to a gateway with room; false when there is none, or no message. */
  #moveFirst(line: WaitingLine): boolean {
    const held = line.first;
    const work = this.#works.get(line.queue);
    if (held === null || work === undefined) return false;
    const route = this.#routeOf(line);
    if (route === undefined) {
      this.#abandon(line);
      return false;
    }
    if (this.#abandoned.size > 0) this.#abandoned.delete(line);
    const gateway = this.#choose(route, line.avoid);
    if (gateway < 0) return false;
    this.#held.show(held, this.#view);
    this.#take(work, line, held);
    this.#send(line.topic, route, gateway, this.#view, 0);
    if (this.#view.syncToken !== 0) this.#sync?.syncExpected(this.#view.syncToken, this.#self, -1);
    this.#moves--;
    return true;
  }

  /** Whose turn it is among those with room; a thread that does not take its messages is passed over while there is another. */
  #choose(route: QueueRoute, avoid: number): number {
    const gateway = route.nextWithRoom(avoid);
    if (gateway < 0 || !this.#gateways[gateway].away) return gateway;
    const other = route.counts.findIndex(
      (count, each) => count > 0 && each !== avoid && route.hasRoom(each) && !this.#gateways[each].away,
    );
    return other < 0 ? gateway : other;
  }

  #send(topic: Topic, route: QueueRoute, gateway: number, message: MessageView, index: number): void {
    route.spend(gateway);
    message.work = true;
    this.#gateways[gateway].deliverQueue(topic, route.name, message, index);
    message.work = false;
    if (message.syncToken !== 0) this.#sync?.syncExpected(message.syncToken, gateway, 1);
  }

  /** Keeps what nobody has room for; but not more than may wait, when nobody waits any longer for the group. */
  #admit(topic: Topic, route: QueueRoute, message: MessageView, index: number): void {
    const queue = route.name.text;
    const work = this.#workOf(queue);
    const isOver = this.#held.exhausted || work.isOverWith(message.ends[index] - message.starts[index]);
    if (!isOver || this.#hold(topic, work, route)) this.#keep(topic, queue, message, index, false);
    else this.#losses.add('dropped', queue, 1);
    this.#settle(work);
  }

  #hold(topic: Topic, work: GroupWork, route: QueueRoute): boolean {
    work.holding = true;
    const inProcess = this.#router.isInProcess(route);
    if (inProcess !== work.inProcess)
      this.#host.onChange(work, () => {
        work.inProcess = inProcess;
      });
    return this.#host.onTooMuch(topic, work);
  }

  /** Forgets a group for which nothing waits, and lets publishers go on when little enough does. */
  #settle(work: GroupWork): void {
    const { isOverworked } = work;
    if (isOverworked !== work.overworked)
      this.#host.onChange(work, () => {
        work.overworked = isOverworked;
      });
    if (work.count === 0) this.#works.delete(work.queue);
    if (!work.holding || !work.halfDone) return;
    work.holding = false;
    this.#host.onEnoughTaken(work);
  }

  #workOf(queue: string): GroupWork {
    let work = this.#works.get(queue);
    if (work === undefined) {
      work = new GroupWork(queue);
      this.#works.set(queue, work);
    }
    return work;
  }

  #keep(topic: Topic, queue: string, message: MessageView, index: number, returned: boolean): WaitingLine {
    const work = this.#workOf(queue);
    const line = work.line(topic, message.exceptConnection);
    work.push(line, this.#held.keep(topic, message, index), returned);
    // a synchronous publisher waits for it as for one that this thread's gateway has
    if (message.syncToken !== 0) this.#sync?.syncExpected(message.syncToken, this.#self, 1);
    return line;
  }

  #take(work: GroupWork, line: WaitingLine, held: HeldMessage<Topic>): void {
    work.shift(line, held);
    this.#held.release(held);
    this.#settle(work);
  }

  #routeOf(line: WaitingLine): QueueRoute | undefined {
    this.#freshen(line);
    const route = line.topic.queues.find((each) => each.name.text === line.queue);
    // who wants no echo may be all that is left of the group
    return route !== undefined && (line.exceptConnection === 0 || route.bounded) ? route : undefined;
  }

  #freshen(line: WaitingLine): WaitingLine {
    const { topic } = line;
    if (!topic.live) line.topic = this.#router.topics.obtain(topic.span, topic.start, topic.end, topic.account);
    this.#router.freshen(line.topic);
    return line;
  }

  #abandon(line: WaitingLine): void {
    if (!this.#abandoned.has(line)) this.#abandoned.set(line, this.#nowMs);
  }

  #giveUp(line: WaitingLine): void {
    const messages = this.#empty(line);
    if (messages > 0) this.#losses.add('abandoned', line.queue, messages);
  }

  /** Takes all messages of a line away, and returns how many there were. */
  #empty(line: WaitingLine): number {
    const work = this.#works.get(line.queue);
    let messages = 0;
    for (let held = line.first; held !== null && work !== undefined; held = line.first) {
      const token = held.syncToken;
      this.#take(work, line, held);
      if (token !== 0) this.#sync?.syncExpected(token, this.#self, -1);
      messages++;
    }
    return messages;
  }
}
