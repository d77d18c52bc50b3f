import {
  exactSamples,
  longTurnMessages,
  longTurnsEvery,
  sampleEvery,
  sampleShift,
  samplesMax,
  timesWindowMs,
} from '../base/limits.js';
import type { Topic } from '../router/topic.js';
import type { TopicCounts, TopicRow } from '../router/topicCounts.js';

const modulus = 2 ** 31 - 1;
const factor = 48_271;
/** Before anybody looks nothing is timed. */
const never = Number.POSITIVE_INFINITY;

/**
 * How long messages of each of the busiest topics take, from when they are read to when what they cause is written. The first ones of a turn are timed, of the others some
 * by chance: fewer the more the turn has, so that a long one costs little and its end counts as much as its beginning. Behind a long turn only some turns are timed, by chance,
 * too. Each message stands for as many as are not timed for it.
 */
export class TopicSamples {
  readonly #self: number;
  readonly #counts: TopicCounts;
  readonly #rows: TopicRow[] = [];
  readonly #readMs = new Float64Array(samplesMax);
  readonly #messages = new Float64Array(samplesMax);
  #count = 0;
  /** Messages until one is timed, as was drawn and what is left of it. */
  #drawn = never;
  #left = never;
  /** Of how many one is timed; 1 for all. */
  #every = 1;
  /** Of this turn: how often it was drawn, and messages. */
  #draws = 0;
  #seen = 0;
  /** Whether this turn is timed, and for how many turns it stands then. */
  #isTimed = false;
  #turns = 1;
  #begun = false;
  #chance = 1_043_618_065;
  #windowEndMs = Number.NEGATIVE_INFINITY;

  constructor(self: number, counts: TopicCounts) {
    this.#self = self;
    this.#counts = counts;
  }

  /** Begins to time what counts have rows for. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#nextTurn();
  }

  /** Windows pass, whether there are messages or not. */
  tick(nowMs: number): void {
    if (nowMs < this.#windowEndMs) return;
    this.#windowEndMs = nowMs + timesWindowMs;
    this.#counts.times?.turn();
  }

  /** How many messages may be carried out together, of which but the last one is to be timed. */
  get within(): number {
    return this.#left;
  }

  /** So many messages of one topic, null where it has no name, were carried out that were read then. */
  note(topic: Topic | null, readMs: number, messages: number): void {
    this.#left -= messages;
    if (this.#left <= 0) this.#take(topic, readMs, messages);
  }

  /** So many messages, `within` at most, were carried out; the last of them was of that topic. */
  noteTogether(last: Topic | null, readMs: number, messages: number): void {
    this.#left -= messages - 1;
    if (this.#left > 1) this.#left--;
    else this.note(last, readMs, 1);
  }

  /** All of them are written. */
  written(nowMs: number): void {
    const times = this.#counts.times;
    if (times === null) return;
    for (let i = 0; i < this.#count; i++) {
      const { slot, live } = this.#rows[i];
      if (live) times.add(slot, nowMs - (this.#readMs[i] as number), this.#messages[i] as number);
    }
    this.#count = 0;
    this.#nextTurn();
  }

  #take(topic: Topic | null, readMs: number, messages: number): void {
    const inTurn = this.#every === 1 ? messages : messages / (1 - Math.exp(-messages / this.#every));
    const stands = inTurn * this.#turns;
    if (topic !== null && topic.endpoint === null) {
      if (topic.owner !== this.#self) topic.passed += Math.round(stands);
      if (topic.row !== null) this.#add(topic.row, readMs, stands);
    }
    this.#draw();
  }

  #add(row: TopicRow, readMs: number, stands: number): void {
    const last = this.#count - 1;
    if (last >= 0 && this.#rows[last] === row && this.#readMs[last] === readMs) {
      this.#messages[last] += stands;
    } else if (this.#count < samplesMax) {
      this.#rows[this.#count] = row;
      this.#readMs[this.#count] = readMs;
      this.#messages[this.#count++] = stands;
    }
  }

  #nextTurn(): void {
    if (this.#isTimed) {
      const messages = this.#seen + this.#drawn - this.#left;
      this.#turns = messages > longTurnMessages ? longTurnsEvery : 1;
    }
    this.#isTimed = this.#turns === 1 || this.#random() * this.#turns < 1;
    this.#draws = 0;
    this.#seen = 0;
    this.#every = 1;
    this.#drawn = this.#isTimed ? 1 : never;
    this.#left = this.#drawn;
  }

  /** Between 0 and 1. */
  #random(): number {
    this.#chance = (this.#chance * factor) % modulus;
    return this.#chance / modulus;
  }

  /** Says which message is timed next: without memory, so that none is likelier than another. */
  #draw(): void {
    this.#seen += this.#drawn - this.#left;
    if (++this.#draws < exactSamples) {
      this.#left = this.#drawn;
      return;
    }
    this.#every = Math.max(sampleEvery, this.#seen >> sampleShift);
    this.#drawn = 1 + Math.floor(-Math.log(this.#random()) * this.#every);
    this.#left = this.#drawn;
  }
}
