import { crowdShareUnits, shareUnits } from './limits.js';

/**
 * What a thread does between two looks at its sockets, counted in units of some 50 ns. Whatever costs something adds to it where it is done; whoever may be interrupted looks whether its share is spent.
 * Units and not time, so that what is done in a turn depends on what was asked for alone.
 */
export class Work {
  /** Units done in this turn. */
  units = 0;
  /** Units of this turn at which whoever is at work has had its share. */
  limit = Number.MAX_SAFE_INTEGER;
  /** Number of the turn. */
  turn = 0;

  /** Whether whoever is at work has had its share. */
  get spent(): boolean {
    return this.units >= this.limit;
  }

  /** Whether nobody counts what is done now. */
  get unlimited(): boolean {
    return this.limit >= Number.MAX_SAFE_INTEGER;
  }

  /** How many of `count` things that cost so many units each may be done before the share is spent: in any case what each of a crowd may do, and one. */
  affordable(unitsEach: number, count: number): number {
    return atMost(this.limit - this.units, unitsEach, count);
  }

  /** How many of them are one's part of a share that so many have together: no less. */
  part(parties: number, unitsEach: number, count: number): number {
    return atMost(shareUnits / parties, unitsEach, count);
  }

  /** Whoever is at work leaves what is left of its share. */
  endShare(): void {
    this.limit = Math.min(this.limit, this.units);
  }

  /** Begins the next turn; what ends the one before is part of it. */
  nextTurn(): void {
    this.units = 0;
    this.turn++;
  }
}

function atMost(units: number, unitsEach: number, count: number): number {
  const mostUnits = Math.max(units, crowdShareUnits);
  return unitsEach * count <= mostUnits ? count : Math.max(1, Math.floor(mostUnits / unitsEach));
}

/** What operations cost beyond what they cause, in units. */
export const cost = {
  /** A run of publishes, beside its messages. */
  publish: 2,
  subscribe: 100,
  unsubscribe: 80,
  connect: 150,
  ping: 30,
  /** An answer that allocates: -ERR, +OK with a name. */
  answer: 20,
  /** Whatever else stands on a line of its own. */
  line: 4,
  /** A record of a lane, beside its messages. */
  record: 1,
  /** A line of JSON, beside its bytes. */
  jsonLine: 40,
  /** A message that a stream takes by itself, since its headers or its size have to be looked at. */
  stored: 200,
  /** A run of messages that a stream takes at one go, and each of those that it takes so under subjects of their own: none is near the processor. */
  storedRun: 40,
  storedApart: 20,
  /** A request to the API of a shard's streams: what it takes to be read, and answered if only with a refusal. */
  request: 600,
  /** An acknowledgement of a message that a consumer delivered, when it says no more than that. */
  acknowledgement: 20,
  /** Something asked of the broker itself, beside the subscriptions that it is for. */
  asking: 100,
  /** A subscription looked at, planned or ended. */
  subscription: 60,
  /** A subscription or group that takes a topic which is planned. */
  planned: 15,
  /** A subscription taken away, of which everybody is told. */
  departure: 60,
  /** A short message to one of very many. */
  crowdDelivery: 1,
  /** A message under one of several heads for the same connections: each is written by itself. */
  head: 4,
  /** A message for one member of a queue group. */
  queueMessage: 5,
  /** What a member says of its work, beside what comes of it: more where it has to be read as text, and where a message is held back. */
  workAnswer: 8,
  workText: 16,
  workHeldBack: 30,
  /** A connection's last words, and its end: beside its subscriptions. */
  end: 4_000,
  /** A topic that is met for the first time, and one that is planned, beside its subscriptions. */
  topic: 200,
  plan: 200,
  /** A message that is traced, or whose trace is published, beside what that shows; one that has a span; and a delivery that its trace names. */
  trace: 800,
  span: 400,
  tracedDelivery: 20,
  /** A message that is kept as its topic's last. */
  lastValue: 20,
  /** A node of the tree of patterns, or a topic, looked at. */
  node: 2,
  /** The same where there are so many that they lie in no cache. */
  searched: 4,
  /** One write to a socket, beside its bytes. */
  write: 50,
  /** A frame of a WebSocket that is taken apart, and what one more costs that controls the connection, and may be answered. */
  frame: 30,
  controlFrame: 150,
} as const;

/** Messages of a run that the kernel reads, or encodes, at the cost of one unit: as a shift. */
export const runShift = 2;

/** Bytes that are read, or handed to a socket, at the cost of one unit: as a shift. */
export const readShift = 7;
export const writeShift = 9;
/** The same where it is handed to very many: none of their sockets is near the processor. */
export const crowdWriteShift = 7;
/** Bytes of long messages that are received and encoded at the cost of one unit; short ones cost by their number: as a shift. */
export const bulkShift = 6;
/** Bytes that are copied to be kept at the cost of one unit: as a shift. */
export const copyShift = 7;
/** The same where most of it takes memory that was never used before: to be given its pages costs more than to copy. */
export const queueShift = 6;
/** Bytes of text that are parsed or escaped at the cost of one unit: as a shift. */
export const textShift = 3;
/** Bytes of text that are compressed at the cost of one unit: as a shift. */
export const zipShift = 1;
/** Bytes of a request to the stream API that are parsed at the cost of one unit, and of headers that a stream reads: as a shift. */
export const bodyShift = 2;
/** Bytes of headers that become JSON at the cost of one unit: as a shift. */
export const headerTextShift = 1;
/** Units that a byte of headers costs which come as JSON, where each may have one of a single letter: as a shift. */
export const headerShift = 1;

/** Subscriptions of a list that are looked at, at the cost of one unit: as a shift. */
export const localShift = 3;
