import { assert } from '../../base/assert.js';
import { rowAddressesMax } from '../../base/shownRows.js';
import type { ShownRunWriter } from '../../base/shownRunWriter.js';
import type { RecordRun, RecordView } from '../../log/storage.js';
import { statusBlock } from '../../protocol/statusBlock.js';
import type { Consumer } from '../../stream/consumer/consumer.js';
import type { Delivery, Offered } from '../../stream/consumer/delivering.js';
import type { PullFields } from '../../stream/consumer/pullRequest.js';
import { ConsumerMessage } from './consumerMessage.js';
import type { ConsumerSite } from './consumerSite.js';
import type { DeliveryTarget } from './deliveryTarget.js';
import { Pin, type UnpinReason } from './pins.js';
import { WaitingPull } from './waitingPull.js';

const nanosecondsInMs = 1e6;

/** Those who have asked a consumer for messages: each message goes to the first, which is behind the others then. */
export class PullRequests implements DeliveryTarget {
  usedMs: number;
  readonly #consumer: Consumer;
  readonly #site: ConsumerSite;
  readonly #token: number;
  readonly #message: ConsumerMessage;
  readonly #pin = new Pin();
  /** In a circle: whose turn it is comes first, and whoever was before that last. */
  #waiting: WaitingPull[] = [];
  #turn = 0;
  /** Who was found to get the next message, and when; null when that is not known. */
  #current: WaitingPull | null = null;
  #currentMs = 0;
  /** Of the addresses for which the kernel puts messages together. */
  readonly #runs: ShownRunWriter[] = [];
  /** How often messages were given to those who wait. */
  #giving = 0;

  /** @param token by which the consumer is told what was not delivered */
  constructor(consumer: Consumer, site: ConsumerSite, token: number) {
    this.#consumer = consumer;
    this.#site = site;
    this.#token = token;
    this.#message = new ConsumerMessage(consumer);
    this.usedMs = site.nowMs();
  }

  /** How many wait whom somebody still listens for. */
  get size(): number {
    for (const pull of this.#inTurn) if (!this.#site.addressing.isTaken(pull.address)) this.#remove(pull);
    return this.#waiting.length;
  }

  get pin(): Pin {
    return this.#pin;
  }

  /** Whether somebody waits, whose turn may come or not. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a request, or refuses it. What is left was counted. */
  admit(fields: PullFields, reply: Uint8Array, isPaused: boolean): void {
    const nowMs = this.#site.nowMs();
    this.usedMs = nowMs;
    const pull = new WaitingPull(fields, this.#site.addressing.addressOf(reply), reply, nowMs);
    if (!this.#admitPinned(pull, nowMs)) return;
    const refusal = this.#refusalOf(pull, isPaused);
    if (refusal === '') this.#enqueue(pull);
    else if (refusal !== silence) this.#say(pull, refusal);
  }

  #refusalOf({ fields }: WaitingPull, isPaused: boolean): string {
    const left = this.#consumer.upcoming.count + this.#consumer.again;
    if (fields.no_wait && left > 0 && left < this.#asked) return '408 Requests Pending';
    if (fields.no_wait && (left === 0 || isPaused) && fields.expires <= 0n) return '404 No Messages';
    if (!this.#isFull) return '';
    return fields.idle_heartbeat > 0n ? silence : '409 Exceeded MaxWaiting';
  }

  get #isFull(): boolean {
    const { max_waiting } = this.#consumer.config;
    return max_waiting > 0n && this.#waiting.length >= max_waiting && BigInt(this.size) >= max_waiting;
  }

  /** How many messages those who wait have asked for. */
  get #asked(): number {
    return this.#waiting.reduce((sum, { left }) => sum + left, 0);
  }

  /** Whoever has a pin keeps it by asking. @returns whether the request may be taken */
  #admitPinned(pull: WaitingPull, nowMs: number): boolean {
    if (!this.#pins || pull.pinId === '' || this.#pin.id === '') return true;
    if (pull.pinId === this.#pin.id) {
      this.#pin.endsMs = nowMs + this.#pinMs;
      return true;
    }
    this.#say(pull, '423 Nats-Pin-Id mismatch');
    return false;
  }

  get #pins(): boolean {
    return this.#consumer.config.priority_policy === 'pinned_client';
  }

  get #pinMs(): number {
    return Number(this.#consumer.config.priority_timeout) / nanosecondsInMs;
  }

  /** Behind those that are served as early. */
  #enqueue(pull: WaitingPull): void {
    this.#current = null;
    if (this.#consumer.config.priority_policy !== 'prioritized') {
      this.#waiting.splice(this.#turn, 0, pull);
      this.#turn = (this.#turn + 1) % this.#waiting.length;
      return;
    }
    assert(this.#turn === 0, 'those who have priorities lie in their order');
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1].fields.priority > pull.fields.priority) at--;
    this.#waiting.splice(at, 0, pull);
  }

  /** All of them, in the order of their turns. */
  get #inTurn(): WaitingPull[] {
    return [...this.#waiting.slice(this.#turn), ...this.#waiting.slice(0, this.#turn)];
  }

  get isReady(): boolean {
    if (this.#waiting.length === 0) return false;
    this.#current = this.#next();
    return this.#current !== null;
  }

  /** Whose turn it is; null when nobody gets the next message now. */
  #next(): WaitingPull | null {
    const nowMs = this.#site.nowMs();
    this.#currentMs = nowMs;
    for (let passed = 0; passed < this.#waiting.length; ) {
      const pull = this.#waiting[(this.#turn + passed) % this.#waiting.length];
      if (pull.expiresMs <= nowMs) this.#end(pull, '408 Request Timeout', true);
      else if (this.#isUnpinned(pull) || this.#isServed(pull)) return pull;
      else passed++;
    }
    return null;
  }

  /** Whether whoever was pinned when it asked is not any more: that is told when its turn comes. */
  #isUnpinned({ pinId }: WaitingPull): boolean {
    return this.#pins && this.#pin.id === '' && pinId !== '';
  }

  #isServed(pull: WaitingPull): boolean {
    if (this.#pins) return this.#pin.id === '' || pull.pinId === this.#pin.id;
    const { min_pending, min_ack_pending } = pull.fields;
    if (min_pending <= 0 && min_ack_pending <= 0) return true;
    const { upcoming, inFlight } = this.#consumer;
    return (
      (min_pending > 0 && upcoming.count >= min_pending) || (min_ack_pending > 0 && inFlight.size >= min_ack_pending)
    );
  }

  offer(delivery: Delivery): Offered {
    const pull = this.#current ?? this.#next();
    if (pull === null) return 'nobody';
    this.#current = null;
    if (this.#isUnpinned(pull)) {
      this.#end(pull, '423 Nats-Wrong-Pin-Id', true);
      return 'nobody';
    }
    const pinId = this.#pinFor(pull);
    const { headers_only } = this.#consumer.config;
    this.#message.set(delivery, pinId === '' ? '' : `Nats-Pin-Id: ${pinId}\r\n`, !headers_only);
    const bytes = pull.boundsBytes ? this.#message.bytes : 0;
    if (bytes > pull.bytesLeft) {
      this.#end(pull, '409 Message Size Exceeds MaxBytes', true);
      return 'nobody';
    }
    const sent = this.#site.sending.send(pull.address, this.#token, this.#message.view);
    if (sent === 'no-room') return sent;
    if (sent === 'nobody') {
      this.#remove(pull);
      return sent;
    }
    this.usedMs = this.#currentMs;
    pull.take(bytes, this.#currentMs);
    if (!pull.isDone) this.#pass(pull);
    else {
      this.#remove(pull);
      if (pull.boundsBytes && pull.bytesLeft > 0) this.#say(pull, '409 Batch Completed', pull.rest);
    }
    return 'sent';
  }

  offerRun(records: RecordRun, count: number, bytesMax: number, delivery: number, pending: number): number {
    if (!this.#takesRuns) return 0;
    const nowMs = this.#site.nowMs();
    let bytesLeft = bytesMax;
    let taken = 0;
    while (taken < count && bytesLeft > 0 && this.#waiting.length > 0) {
      const given = this.#giveRows(records, taken, count, bytesLeft, nowMs);
      if (given > 0) {
        bytesLeft -= this.#layRows(given, delivery + taken, pending - taken);
        taken += given;
        continue;
      }
      const pull = this.#waiting[this.#turn];
      const record = records.view(taken);
      if (!this.#put(pull, record, delivery + taken, pending - taken)) break;
      taken++;
      bytesLeft -= record.end - record.start;
      pull.take(0, nowMs);
      if (pull.isDone) this.#remove(pull);
      else this.#pass(pull);
    }
    if (taken > 0) this.usedMs = nowMs;
    this.#current = null;
    return taken;
  }

  /**
   * Gives messages to those who wait, in their turns, from one on and before another, to be laid out by the kernel; returns how many, 0
   * where the next one goes by itself.
   */
  #giveRows(records: RecordRun, from: number, end: number, bytesMax: number, nowMs: number): number {
    const rows = this.#message.rowsOf(records, from, end - from);
    if (rows === null) return 0;
    this.#makeRoom();
    this.#runs.length = 0;
    this.#giving++;
    let given = 0;
    while (from + given < end && rows.givenBytes < bytesMax && this.#waiting.length > 0) {
      const pull = this.#waiting[this.#turn];
      const run = this.#runOf(pull);
      if (run < 0 || !rows.give(given, run, this.#runs[run].roomBytes, false)) break;
      given++;
      pull.take(0, nowMs);
      if (pull.isDone) this.#remove(pull);
      else this.#pass(pull);
    }
    return given;
  }

  /** While messages are given to addresses nothing may be sent: all of their runs can be open together. */
  #makeRoom(): void {
    const { sending } = this.#site;
    let closed = 0;
    for (let i = 0; i < this.#waiting.length && closed < rowAddressesMax; i++)
      if (!sending.isOpen(this.#waiting[i].address, this.#token)) closed++;
    sending.makeRoom(closed);
  }

  /** Which of the runs is that of whoever waits; -1 where messages go by themselves. Looked for once a giving. */
  #runOf(pull: WaitingPull): number {
    if (pull.giving !== this.#giving) {
      pull.giving = this.#giving;
      pull.run = this.#openRun(pull);
    }
    return pull.run;
  }

  #openRun({ address }: WaitingPull): number {
    const { sending } = this.#site;
    if (this.#runs.length === rowAddressesMax && !sending.isOpen(address, this.#token)) return -1;
    const run = sending.open(address, this.#token);
    if (run === null) return -1;
    const known = this.#runs.indexOf(run);
    return known >= 0 || this.#runs.length === rowAddressesMax ? known : this.#runs.push(run) - 1;
  }

  /** Lays out those that were given, the first so many. @returns what they have of headers and payload, in bytes */
  #layRows(given: number, delivery: number, pending: number): number {
    const rows = this.#message.rows;
    let bytes = 0;
    let laid = 0;
    rows.bring(given);
    for (let i = 0; i < this.#runs.length; i++) {
      laid += this.#runs[i].addRows(rows, i, delivery, pending);
      bytes += rows.messageBytes;
    }
    assert(laid === given, 'there is room for what was given');
    return bytes;
  }

  /** Puts a message to others for whoever has asked; false where it has to go by itself. */
  #put({ address }: WaitingPull, record: RecordView, delivery: number, pending: number): boolean {
    const { sending } = this.#site;
    const run = sending.open(address, this.#token);
    if (run === null) return false;
    if (this.#message.addTo(run, record, delivery, pending)) return true;
    sending.flush();
    const next = sending.open(address, this.#token);
    return next !== null && this.#message.addTo(next, record, delivery, pending);
  }

  /** Whether whoever waits takes whatever comes, in turn. */
  get #takesRuns(): boolean {
    const { priority_policy, headers_only } = this.#consumer.config;
    if (priority_policy !== 'none' || headers_only) return false;
    const nowMs = this.#site.nowMs();
    for (let i = 0; i < this.#waiting.length; i++) {
      const { boundsBytes, expiresMs, fields } = this.#waiting[i];
      if (boundsBytes || expiresMs <= nowMs || fields.min_pending > 0 || fields.min_ack_pending > 0) return false;
    }
    return true;
  }

  /** Whoever got a message is behind the others. */
  #pass(pull: WaitingPull): void {
    const { length } = this.#waiting;
    if (length === 1) return;
    if (this.#waiting[this.#turn] === pull && this.#consumer.config.priority_policy !== 'prioritized') {
      this.#turn = this.#turn + 1 === length ? 0 : this.#turn + 1;
      return;
    }
    this.#remove(pull);
    this.#enqueue(pull);
  }

  /** Pins whoever gets a message while nobody is pinned. @returns the id that the message carries; '' for none */
  #pinFor(pull: WaitingPull): string {
    if (!this.#pins) return '';
    if (this.#pin.id === '') {
      const { nowMs, clock, advisories } = this.#site;
      this.#pin.give(clock.nowUs(), nowMs() + this.#pinMs);
      advisories.sayPinned(this.#consumer, this.#pin.id);
    }
    pull.pinId = this.#pin.id;
    return this.#pin.id;
  }

  /** Whoever is pinned is not any more. */
  unpin(reason: UnpinReason): void {
    this.#pin.clear();
    this.#site.advisories.sayUnpinned(this.#consumer, reason);
  }

  #remove(pull: WaitingPull): void {
    const at = this.#waiting.indexOf(pull);
    this.#waiting.splice(at, 1);
    this.#current = null;
    if (at < this.#turn) this.#turn--;
    if (this.#turn === this.#waiting.length) this.#turn = 0;
  }

  #end(pull: WaitingPull, status: string, withRest = false): void {
    this.#remove(pull);
    this.#say(pull, status, withRest ? pull.rest : {});
  }

  onEmpty(): void {
    if (this.#waiting.length === 0) return;
    for (const pull of this.#inTurn.filter(({ endsEmpty }) => endsEmpty)) this.#end(pull, '404 No Messages');
  }

  onUpdate(): void {
    if (!this.#pins) this.#pin.clear();
    // its policy may be another one
    this.#waiting = this.#inTurn;
    this.#turn = 0;
    this.#current = null;
  }

  get dueMs(): number {
    let dueMs = this.#pin.endsMs;
    for (const { expiresMs, beatMs } of this.#waiting) dueMs = Math.min(dueMs, expiresMs, beatMs);
    return dueMs;
  }

  tick(nowMs: number): boolean {
    const isPinLost = this.#pin.endsMs <= nowMs;
    if (isPinLost) this.unpin('timeout');
    for (const pull of this.#inTurn) {
      if (pull.expiresMs <= nowMs) this.#end(pull, '408 Request Timeout', true);
      else if (pull.beatMs <= nowMs) this.#beat(pull, nowMs);
    }
    return isPinLost;
  }

  #beat(pull: WaitingPull, nowMs: number): void {
    pull.beatMs = nowMs + pull.heartbeatMs;
    // whoever has left is not told, and waits no more
    if (!this.#site.addressing.isTaken(pull.address)) {
      this.#remove(pull);
      return;
    }
    const { delivery, sequence } = this.#consumer.delivered;
    this.#say(pull, '100 Idle Heartbeat', { 'Nats-Last-Consumer': delivery, 'Nats-Last-Stream': sequence });
  }

  end(status: string, withRest: boolean): void {
    for (const pull of this.#inTurn) this.#end(pull, status, withRest);
  }

  #say({ address, reply }: WaitingPull, status: string, headers: Readonly<Record<string, number | string>> = {}): void {
    this.#site.sayAt(address, reply, statusBlock(status, headers));
  }
}

/** Instead of a refusal: nothing is said. */
const silence = 'silence';
