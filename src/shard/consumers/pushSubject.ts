import { byteText, latin1Bytes } from '../../base/bytes.js';
import type { ShownRunWriter } from '../../base/shownRunWriter.js';
import type { RecordRun } from '../../log/storage.js';
import { statusBlock } from '../../protocol/statusBlock.js';
import type { Consumer } from '../../stream/consumer/consumer.js';
import type { Delivery, Offered } from '../../stream/consumer/delivering.js';
import type { Address } from '../addressing.js';
import { ConsumerMessage } from './consumerMessage.js';
import type { ConsumerSite } from './consumerSite.js';
import type { DeliveryTarget } from './deliveryTarget.js';
import { FlowWindow } from './flowWindow.js';
import { RateLimit } from './rateLimit.js';

const nanosecondsInMs = 1e6;

/** The subject that a consumer delivers to, as long as somebody listens there. */
export class PushSubject implements DeliveryTarget {
  usedMs: number;
  readonly #consumer: Consumer;
  readonly #site: ConsumerSite;
  readonly #token: number;
  readonly #message: ConsumerMessage;
  #subject: Uint8Array;
  #address: Address;
  #flow: FlowWindow | null;
  #rate: RateLimit | null;
  #heartbeatMs = 0;
  #beatMs = Number.POSITIVE_INFINITY;
  #isHeard = false;

  /** @param token by which the consumer is told what was not delivered */
  constructor(consumer: Consumer, site: ConsumerSite, token: number) {
    this.#consumer = consumer;
    this.#site = site;
    this.#token = token;
    this.#message = new ConsumerMessage(consumer);
    this.usedMs = site.nowMs();
    this.#subject = latin1Bytes(byteText(consumer.config.deliver_subject));
    this.#address = site.addressing.addressOf(this.#subject);
    this.#flow = this.#flowOf();
    this.#rate = RateLimit.of(consumer.config.rate_limit_bps);
    this.#heartbeatMs = Number(consumer.config.idle_heartbeat) / nanosecondsInMs;
  }

  #flowOf(): FlowWindow | null {
    return this.#consumer.config.flow_control ? new FlowWindow(this.#consumer) : null;
  }

  /** Whether somebody listens. */
  get isBound(): boolean {
    return this.#site.addressing.isTakenBy(this.#address, byteText(this.#consumer.config.deliver_group));
  }

  /** Looks whether somebody listens now. @returns whether that is another answer than before */
  look(nowMs: number): boolean {
    const isHeard = this.isBound;
    if (isHeard || this.#isHeard) this.usedMs = nowMs;
    if (isHeard === this.#isHeard) return false;
    this.#isHeard = isHeard;
    this.#beatMs = isHeard && this.#heartbeatMs > 0 ? nowMs + this.#heartbeatMs : Number.POSITIVE_INFINITY;
    return true;
  }

  get isReady(): boolean {
    return this.#isHeard && !(this.#flow?.isShut ?? false) && !(this.#rate?.isSpent(this.#site.nowMs()) ?? false);
  }

  offer(delivery: Delivery): Offered {
    const { config } = this.#consumer;
    this.#message.set(delivery, '', !config.headers_only);
    const sent = this.#site.sending.send(this.#address, this.#token, this.#message.view);
    if (sent === 'nobody') this.#isHeard = false;
    if (sent !== 'sent') return sent;
    const nowMs = this.#site.nowMs();
    this.usedMs = nowMs;
    if (this.#heartbeatMs > 0) this.#beatMs = nowMs + this.#heartbeatMs;
    if (this.#rate !== null || this.#flow !== null) this.#count(this.#message.bytes);
    return 'sent';
  }

  offerRun(records: RecordRun, count: number, bytesMax: number, delivery: number, pending: number): number {
    if (this.#consumer.config.headers_only || this.#rate !== null) return 0;
    const { sending } = this.#site;
    const nowMs = this.#site.nowMs();
    let bytesLeft = bytesMax;
    let taken = 0;
    while (taken < count && bytesLeft > 0 && !(this.#flow?.isShut ?? false)) {
      const record = records.view(taken);
      const run = sending.open(this.#address, this.#token);
      if (run === null) break;
      const added = this.#addRows(run, records, taken, count, bytesLeft, delivery + taken, pending - taken);
      if (added > 0) {
        taken += added;
        bytesLeft -= this.#message.rows.messageBytes;
        continue;
      }
      if (!this.#message.addTo(run, record, delivery + taken, pending - taken)) {
        // longer than a run may be
        if (run.count === 0) break;
        sending.flush();
        continue;
      }
      taken++;
      bytesLeft -= record.end - record.start;
      if (this.#flow !== null) this.#count(this.#message.bytesOf(record.end - record.start));
    }
    if (taken === 0) return 0;
    this.usedMs = nowMs;
    if (this.#heartbeatMs > 0) this.#beatMs = nowMs + this.#heartbeatMs;
    return taken;
  }

  /** Has the kernel add records to a run, from one on and before another; returns how many, 0 where each is to be added by itself. */
  #addRows(
    run: ShownRunWriter,
    records: RecordRun,
    from: number,
    end: number,
    bytesMax: number,
    delivery: number,
    pending: number,
  ): number {
    const rows = this.#message.rowsOf(records, from, end - from);
    if (rows === null) return 0;
    const { roomBytes } = run;
    let given = 0;
    while (from + given < end && rows.givenBytes < bytesMax && rows.give(given, 0, roomBytes, true)) given++;
    if (given === 0) return 0;
    rows.bring(given);
    const added = run.addRows(rows, 0, delivery, pending);
    if (added > 0 && this.#flow !== null)
      this.#count(this.#message.rowBytesOf(added, records.first + from, delivery, pending));
    return added;
  }

  #count(bytes: number): void {
    this.#rate?.spend(bytes);
    if (this.#flow === null) return;
    this.#flow.sent(bytes);
    this.#askForFlow(this.#flow);
  }

  #askForFlow(flow: FlowWindow): void {
    if (!flow.wantsAnswer) return;
    const reply = flow.nextReply();
    if (this.#site.ask(this.#subject, latin1Bytes(reply), statusBlock('100 FlowControl Request'))) flow.asked(reply);
  }

  /** Somebody has answered a question about the flow. @returns whether there is more room now */
  onFlow(reply: string): boolean {
    return this.#flow?.answered(reply) ?? false;
  }

  onEmpty(): void {}

  onUpdate(): void {
    const { deliver_subject, rate_limit_bps, idle_heartbeat } = this.#consumer.config;
    this.#heartbeatMs = Number(idle_heartbeat) / nanosecondsInMs;
    this.#rate = RateLimit.of(rate_limit_bps);
    const subject = latin1Bytes(byteText(deliver_subject));
    if (Buffer.compare(subject, this.#subject) === 0) return;
    this.#subject = subject;
    this.#address = this.#site.addressing.addressOf(subject);
    this.#flow = this.#flowOf();
    this.#isHeard = false;
    this.#consumer.redeliverAll();
  }

  get dueMs(): number {
    return Math.min(
      this.#beatMs,
      this.#isHeard ? (this.#rate?.dueMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY,
    );
  }

  get isAwaited(): boolean {
    return this.#isHeard;
  }

  tick(nowMs: number): boolean {
    if (this.#flow !== null && this.#isHeard) this.#askForFlow(this.#flow);
    if (this.#beatMs <= nowMs) this.#beat(nowMs);
    // what the rate held back may go on
    return this.#rate !== null;
  }

  #beat(nowMs: number): void {
    this.#beatMs = nowMs + this.#heartbeatMs;
    const { delivery, sequence } = this.#consumer.delivered;
    const stalled = this.#flow?.outstanding ?? '';
    const headers = { 'Nats-Last-Consumer': delivery, 'Nats-Last-Stream': sequence };
    const block = statusBlock(
      '100 Idle Heartbeat',
      stalled === '' ? headers : { ...headers, 'Nats-Consumer-Stalled': stalled },
    );
    this.#site.sayAt(this.#address, this.#subject, block);
  }

  /** Whoever listens is not told that there will be no more. */
  end(): void {
    this.#isHeard = false;
  }
}
