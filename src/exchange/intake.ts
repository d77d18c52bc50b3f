import { laneUnits, passedOverMax } from '../base/limits.js';
import type { Work } from '../base/work.js';
import { Alignment } from './alignment.js';
import type { MessageReader } from './messageReader.js';
import type { Peer } from './peer.js';
import type { ExchangeTopic } from './roles.js';

/** What there has to be room for before a publish is taken. */
export interface IntakeRoom {
  /** Whether more may be sequenced. */
  readonly sequences: boolean;
  /** How often that has become so. */
  readonly openings: number;
  /** How far ahead of their readers those deliver lanes may be at least that have no room, in bytes. */
  readonly fullReachBytes: number;
  /** Whether what is handed on for users' threads would leave at once. */
  readonly handsOn: boolean;
}

/** What other threads have written to this one, taken in the order that causality asks for: control, then deliveries, then publishes. */
export class Intake<T extends ExchangeTopic> {
  readonly #work: Work;
  readonly #room: IntakeRoom;
  #peers: readonly Peer<T>[] = [];
  // the peers' lanes by kind, since not every peer has all
  #deliveries: MessageReader<T>[] = [];
  #publishes: MessageReader<T>[] = [];
  #userPublishes: MessageReader<T>[] = [];
  readonly #alignment = new Alignment();
  /** Rounds of taking deliveries that have begun and ended: each takes what had been published when it began. */
  #roundsBegun = 0;
  #roundsEnded = 0;
  /** Whether what users' threads publish is left where it is. */
  usersHeld = false;
  /** Whether somebody on this thread found no room to publish, and has not had the first of it since. */
  localWaits = false;
  #localWent = false;
  /** Whether what others have published to it has waited while there was room several times: what this thread publishes itself waits until they had some. */
  lanesWait = false;
  /** How often there had been room when lanes were first found to wait; -1 when none waits. */
  #waitSince = -1;
  /** The lane that found no room when others had some; null when each had its part. */
  #passedOver: MessageReader<T> | null = null;

  constructor(work: Work, room: IntakeRoom) {
    this.#work = work;
    this.#room = room;
  }

  /** Takes notice of who is there. */
  list(peers: readonly Peer<T>[]): void {
    this.#peers = peers;
    this.#deliveries = peers.flatMap(({ deliverIn }) => deliverIn ?? []);
    this.#publishes = peers.flatMap(({ user, publishIn }) => (user ? [] : (publishIn ?? [])));
    this.#userPublishes = peers.flatMap(({ user, publishIn }) => (user ? (publishIn ?? []) : []));
    this.#passedOver = null;
  }

  /**
   * From now on what a new owner delivers is taken behind all that was delivered before.
   *
   * @param isNew whether a shard is an owner that was none before
   */
  align(number: number, isNew: (shard: number) => boolean): void {
    const from = this.#peers.flatMap(({ endpoint, deliverIn }) => (isNew(endpoint) ? (deliverIn ?? []) : []));
    this.#alignment.begin(number, from, this.#deliveries);
  }

  /** Whether all that was delivered before the last change of an owner has been taken here. */
  get aligned(): boolean {
    return this.#alignment.done;
  }

  /** Applies what other gateways have announced; before any input is processed, so that causes precede effects. */
  drainControl(): void {
    for (const peer of this.#peers) peer.controlIn.drain();
  }

  /**
   * Takes every delivery published so far: what a connection was sent before it asked must be answered before the answer. Where the share of
   * work does not last for that it is taken up again.
   *
   * @param asked what the call before has returned for the same question, or 0
   * @returns 0 when all that was published when it was first asked for has been taken
   */
  drainDeliveries(asked = 0): number {
    const wanted = asked === 0 ? this.#roundsBegun + 1 : asked;
    while (this.#roundsEnded < wanted) {
      this.#beginRound();
      this.#takeDeliveries();
      if (this.#roundsEnded === this.#roundsBegun) continue;
      // a lane may wait for a topic that is planned: whoever asked goes on in a later turn, as one whose share is spent
      this.#work.endShare();
      return wanted;
    }
    return 0;
  }

  /**
   * Takes what was published to this thread before the call, as far as a turn's share of work lasts, for deliveries and for publishes; what
   * is left is taken in the next turns, and meanwhile its lanes fill and their writers wait. No publishes, when the room for them is that of who waits here.
   *
   * @param units the share of each
   * @returns whether there was anything
   */
  doWork(units = laneUnits): boolean {
    const localGoes = this.#letLocalGo();
    return this.#take(units, !localGoes) || localGoes;
  }

  /** The same in the midst of a turn: the room for publishes is left to who waits for it on this thread. */
  glance(units: number): boolean {
    return this.#take(units, !this.localWaits);
  }

  /** The same, however much it is. */
  takeAll(): void {
    this.#take(Number.MAX_SAFE_INTEGER, true);
  }

  /** Where deliver lanes are full again and again, whoever comes first has all the room: one time others do, and one time who waits on this thread. */
  #letLocalGo(): boolean {
    if (!this.#room.sequences) return false;
    const localGoes = this.localWaits && !this.#localWent;
    this.#localWent = localGoes;
    this.localWaits = false;
    if (localGoes) this.#letLanesGo();
    return localGoes;
  }

  #take(units: number, publishes: boolean): boolean {
    const work = this.#work;
    for (const lane of this.#publishes) lane.look();
    for (const lane of this.#userPublishes) lane.look();
    this.#beginRound();
    work.limit = work.units + units;
    let worked = this.#takeDeliveries();
    work.limit = work.units + units;
    if (publishes && this.#takeAllPublishes()) worked = true;
    work.limit = Number.MAX_SAFE_INTEGER;
    return worked;
  }

  /** Takes what was published, first from a lane that got nothing of the room that there was before; returns whether there was anything. */
  #takeAllPublishes(): boolean {
    if (this.#room.sequences) this.#letLanesGo();
    const passedOver = this.#passedOver;
    this.#passedOver = null;
    let worked = passedOver !== null && this.#takePublishes(passedOver, this.#userPublishes.includes(passedOver));
    for (const lane of this.#inTurn(this.#publishes))
      if (lane !== passedOver && this.#takePublishes(lane, false)) worked = true;
    for (const lane of this.#inTurn(this.#userPublishes))
      if (lane !== passedOver && this.#takePublishes(lane, true)) worked = true;
    return worked;
  }

  #letLanesGo(): void {
    this.lanesWait = false;
    this.#waitSince = -1;
  }

  /** A lane waits until more may be sequenced, and is the first of all lanes then if it got nothing. */
  #onHeldUp(lane: MessageReader<T>, worked: boolean): void {
    lane.pace.onHeldUp(this.#room.fullReachBytes);
    if (this.#room.sequences || !lane.lane.hasRecords()) return;
    const { openings } = this.#room;
    if (this.#waitSince < 0) this.#waitSince = openings;
    else if (openings - this.#waitSince > passedOverMax) this.lanesWait = true;
    if (!worked) this.#passedOver ??= lane;
  }

  /** Takes what a lane has, as far as the share of work lasts and it may be sequenced; returns whether there was anything. */
  #takePublishes(lane: MessageReader<T>, user: boolean): boolean {
    const work = this.#work;
    let worked = false;
    lane.pace.begin(work.units);
    while (!work.spent) {
      if (!(user ? this.#takesUsers : this.#takesPublishes)) {
        this.#onHeldUp(lane, worked);
        return worked;
      }
      if (!lane.takeOne()) {
        if (worked && !lane.waits) lane.pace.onEmptied();
        return worked;
      }
      worked = true;
    }
    lane.pace.onSpent(work.units);
    return worked;
  }

  /** Gives back the room of what was taken: it counts as sequenced for its publisher from then on. */
  release(): void {
    for (const lane of this.#publishes) lane.lane.release();
  }

  /** The same of what users' threads have published. */
  releaseUsers(): void {
    for (const lane of this.#userPublishes) lane.lane.release();
  }

  /** Whether there is nothing to be taken. */
  get empty(): boolean {
    const isEmpty = ({ lane }: MessageReader<T>) => !lane.hasRecords();
    return this.#publishes.every(isEmpty) && this.#userPublishes.every(isEmpty) && this.#deliveries.every(isEmpty);
  }

  /** Whether a peer has written something that may be taken now. */
  hasWorkOf({ user, controlIn, deliverIn, publishIn }: Peer<T>): boolean {
    return (
      controlIn.lane.hasRecords() ||
      (deliverIn !== null && this.#alignment.mayTake(deliverIn) && deliverIn.lane.hasRecords()) ||
      (publishIn !== null && (user ? this.#takesUsers : this.#takesPublishes) && publishIn.lane.hasRecords())
    );
  }

  /** Whether more may be sequenced: not before what was, elsewhere, before this thread became an owner. */
  get #takesPublishes(): boolean {
    return this.#room.sequences && this.aligned;
  }

  get #takesUsers(): boolean {
    return this.#takesPublishes && !this.usersHeld && this.#room.handsOn;
  }

  /** Looks what there is to be taken, unless a round is under way, and applies what others have announced before. */
  #beginRound(): void {
    const begins = this.#roundsEnded === this.#roundsBegun;
    if (begins) this.#roundsBegun++;
    // what a lane waits for may have come since
    if (begins || !this.aligned) for (const lane of this.#deliveries) lane.look();
    this.drainControl();
  }

  /** Goes on with the round, as far as the share of work lasts; returns whether there was anything. */
  #takeDeliveries(): boolean {
    let worked = false;
    let whole = true;
    for (const lane of this.#inTurn(this.#deliveries)) {
      let more = true;
      let took = false;
      lane.pace.begin(this.#work.units);
      while (more && !this.#work.spent && this.#alignment.mayTake(lane)) {
        more = lane.takeOne();
        if (more) took = true;
      }
      if (took) worked = true;
      if (more || lane.waits) whole = false;
      else if (took) lane.pace.onEmptied();
      if (more) lane.pace.onSpent(this.#work.units);
      // fragments of a record that is not whole yet have been taken too
      lane.lane.release();
    }
    this.#alignment.review(this.#deliveries);
    if (whole) this.#roundsEnded = this.#roundsBegun;
    return worked;
  }

  /** Lanes, another one first in every turn: what the first ones bring may leave nothing of a share to the others. */
  #inTurn(lanes: readonly MessageReader<T>[]): readonly MessageReader<T>[] {
    if (lanes.length < 2) return lanes;
    const first = this.#work.turn % lanes.length;
    return first === 0 ? lanes : lanes.slice(first).concat(lanes.slice(0, first));
  }
}
