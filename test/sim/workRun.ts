import { healthTickMs } from '../../src/base/limits.js';
import { addEndpoint, createExchangeMemory } from '../../src/exchange/memory.js';
import { subjectMatches } from '../../src/protocol/subject.js';
import { randomFrom } from './random.js';
import type { SimOptions } from './simThread.js';
import { ClientWorkThread, type Member, ShardWorkThread, type WorkThread } from './workThread.js';

const laneBytes = 4096;
const messages = 400;
const subjects = ['a', 'b', 'a.b'];
const patterns = ['a', 'b', '>', 'a.*', '*'];
/** Far more turns than any run takes to come to rest. */
const turnsMax = 100_000;

/**
 * A group with `prefetch` over several gateways and threads of the user's, driven in one thread, beside a plain model: where each message is.
 * Whatever is found wrong is noted, and judged by the test.
 */
export class WorkRun {
  readonly wrong: string[] = [];
  /** Messages that a shard has put in order for the group, and those that were acknowledged. */
  readonly taken = new Set<number>();
  readonly acknowledged = new Set<number>();
  readonly #subjects = new Map<number, string>();
  /** How often each message was handed out, and until when those are held back that are: they come back by themselves. */
  readonly #deliveries = new Map<number, number>();
  readonly #pauses = new Map<number, { member: Member; untilMs: number }>();
  /** In whole ticks, as all that is held back. */
  #nowMs = 0;
  readonly #random: (bound: number) => number;
  readonly #threads: WorkThread[] = [];
  readonly #members: { thread: number; member: Member }[] = [];
  #published = 0;

  constructor(options: SimOptions) {
    this.#random = randomFrom(options.seed);
    const memory = createExchangeMemory(options.threads, laneBytes, options.clients);
    const endpoints = options.threads + options.clients;
    for (let client = options.threads; client < endpoints; client++) addEndpoint(memory, client);
    const onGiven = (member: Member, number: number, deliveries: number) => this.#onGiven(member, number, deliveries);
    for (let self = 0; self < endpoints; self++)
      this.#threads.push(
        self < options.threads
          ? new ShardWorkThread(memory, self, options, onGiven, (number) => this.taken.add(number))
          : new ClientWorkThread(memory, self, options, onGiven),
      );
  }

  run(): void {
    while (this.#published < messages) {
      this.#step();
      if (this.#random(20) === 0) this.#rest();
    }
    this.#rest();
    this.#finish();
  }

  #step(): void {
    const self = this.#random(this.#threads.length);
    const what = this.#random(40);
    if (what < 12) this.#publish(self);
    else if (what < 24) this.#acknowledgeSome();
    else if (what < 26) this.#join(self);
    else if (what < 27) this.#leave();
    else if (what < 28) this.#change();
    else if (what < 31) this.#giveUp();
    else if (what < 32) this.#sayMore();
    else if (what < 34) this.#pass(this.#random(4) * healthTickMs);
    else this.#threads[self]!.turn();
  }

  #publish(self: number): void {
    const subject = subjects[this.#random(subjects.length)]!;
    for (let burst = 1 + this.#random(8); burst > 0; burst--) {
      this.#subjects.set(this.#published, subject);
      if (!this.#threads[self]!.publish(subject, this.#published)) return;
      this.#published++;
    }
  }

  #join(thread: number): void {
    const { exchange } = this.#threads[thread]!;
    if (this.#members.length >= 8 || !exchange.controlClear) return;
    const subject = patterns[this.#random(patterns.length)]!;
    this.#members.push({ thread, member: this.#threads[thread]!.join(subject, 1 + this.#random(5)) });
  }

  #leave(): void {
    if (this.#members.length === 0) return;
    const [left] = this.#members.splice(this.#random(this.#members.length), 1);
    for (const [number, { member }] of this.#pauses) if (member === left!.member) this.#pauses.delete(number);
    left!.member.leave();
  }

  #change(): void {
    if (this.#members.length > 0) this.#anyMember().change(1 + this.#random(5));
  }

  #anyMember(): Member {
    return this.#members[this.#random(this.#members.length)]!.member;
  }

  #acknowledgeSome(): void {
    if (this.#members.length === 0) return;
    const member = this.#anyMember();
    for (const number of [...member.inFlight]) if (this.#random(3) > 0) this.#acknowledge(member, number);
  }

  #acknowledge(member: Member, number: number): void {
    if (this.acknowledged.has(number)) this.wrong.push(`${number} was done twice`);
    this.acknowledged.add(number);
    this.#pauses.delete(number);
    member.acknowledge(number);
  }

  #giveUp(): void {
    if (this.#members.length === 0) return;
    const member = this.#anyMember();
    const [number] = member.inFlight;
    const delayMs = this.#random(5) * healthTickMs;
    if (number === undefined) return;
    this.#pauses.delete(number);
    if (member.giveUp(number, delayMs) && delayMs > 0)
      this.#pauses.set(number, { member, untilMs: this.#nowMs + delayMs });
  }

  /** A member says that it is still at it, or that nobody is to have it again. */
  #sayMore(): void {
    if (this.#members.length === 0) return;
    const member = this.#anyMember();
    const [number] = member.inFlight;
    if (number === undefined) return;
    this.#pauses.delete(number);
    if (this.#random(3) > 0) member.working(number);
    else {
      this.acknowledged.add(number);
      member.terminate(number);
    }
  }

  /** Time passes for all threads; what was held back long enough is in flight no more. */
  #pass(ms: number): void {
    this.#nowMs += ms;
    for (const [number, { member, untilMs }] of this.#pauses) {
      if (untilMs > this.#nowMs) continue;
      this.#pauses.delete(number);
      member.inFlight.delete(number);
    }
    for (const thread of this.#threads) if (thread instanceof ShardWorkThread) thread.nowMs = this.#nowMs;
    for (const thread of this.#threads) thread.turn();
  }

  #onGiven(member: Member, number: number, deliveries: number): void {
    if (this.#members.some((other) => other.member.inFlight.has(number))) this.wrong.push(`${number} is in two hands`);
    if (this.acknowledged.has(number)) this.wrong.push(`${number} comes again though it is done`);
    const before = this.#deliveries.get(number) ?? 0;
    if (deliveries !== before + 1) this.wrong.push(`${number} came ${before} times, and says ${deliveries}`);
    this.#deliveries.set(number, deliveries);
    if (!subjectMatches(member.subject, this.#subjects.get(number)!))
      this.wrong.push(`${number} is not for its member`);
    member.inFlight.add(number);
    // a smaller prefetch leaves what is in flight there, but lets nothing come
    if (member.inFlight.size > member.prefetch)
      this.wrong.push(`${member.inFlight.size} in flight, with ${member.prefetch}`);
  }

  /** Lets everything come to rest, and looks where every message is. */
  #rest(): void {
    let turns = 0;
    for (let calm = 0; calm < 3; turns++) {
      if (turns === turnsMax) {
        this.wrong.push('it never comes to rest');
        return;
      }
      for (const thread of this.#threads) thread.turn();
      calm = this.#threads.every(({ idle, exchange }) => idle && exchange.quiet) ? calm + 1 : 0;
    }
    this.#judge();
  }

  #judge(): void {
    const inFlight = new Set(this.#members.flatMap(({ member }) => [...member.inFlight]));
    const waiting = this.#threads.reduce((sum, thread) => sum + thread.waiting, 0);
    const unfinished = [...this.taken].filter((number) => !this.acknowledged.has(number) && !inFlight.has(number));
    if (unfinished.length !== waiting) this.wrong.push(`${unfinished.length} are in no hand, ${waiting} wait`);
    for (const { member } of this.#members) {
      if (member.inFlight.size >= member.prefetch) continue;
      const idle = unfinished.filter((number) => subjectMatches(member.subject, this.#subjects.get(number)!));
      if (idle.length > 0) this.wrong.push(`${idle.length} wait for a member with room`);
    }
  }

  /** A last member works all of it off: nothing is left. */
  #finish(): void {
    const last = this.#threads[this.#random(this.#threads.length)]!.join('>', 3);
    this.#members.push({ thread: -1, member: last });
    for (let turns = 0; this.acknowledged.size < this.taken.size && turns < turnsMax; turns++) {
      for (const thread of this.#threads) thread.turn();
      for (const { member } of this.#members)
        for (const number of [...member.inFlight]) this.#acknowledge(member, number);
    }
    this.#rest();
    if (this.acknowledged.size < this.taken.size) this.wrong.push('work is left that nobody does');
    for (const thread of this.#threads)
      if (thread instanceof ShardWorkThread && thread.kept > 0) this.wrong.push('something is kept that nobody needs');
  }
}
