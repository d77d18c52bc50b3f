import type { PullFields } from '../../stream/consumer/pullRequest.js';
import type { Address } from '../addressing.js';

const nanosecondsInMs = 1e6;

/** A request for messages that is not done. */
export class WaitingPull {
  readonly address: Address;
  readonly reply: Uint8Array;
  readonly fields: PullFields;
  /** Messages that it still takes, and bytes of them. */
  left: number;
  bytesLeft: number;
  /** When it ends, in milliseconds; infinity for never. */
  readonly expiresMs: number;
  readonly heartbeatMs: number;
  /** When it is to be told that the consumer is alive. */
  beatMs: number;
  gotAny = false;
  /** Which run its messages are put into, and in which giving that was found out. */
  run = -1;
  giving = 0;
  /** By which whoever asks is known, once it is pinned. */
  pinId: string;

  constructor(fields: PullFields, address: Address, reply: Uint8Array, nowMs: number) {
    this.address = address;
    this.reply = reply;
    this.fields = fields;
    this.left = fields.batch;
    this.bytesLeft = this.boundsBytes ? fields.max_bytes : Number.POSITIVE_INFINITY;
    this.expiresMs = fields.expires <= 0n ? Number.POSITIVE_INFINITY : nowMs + Number(fields.expires) / nanosecondsInMs;
    this.heartbeatMs = Number(fields.idle_heartbeat) / nanosecondsInMs;
    this.beatMs = this.heartbeatMs <= 0 ? Number.POSITIVE_INFINITY : nowMs + this.heartbeatMs;
    this.pinId = fields.id;
  }

  get boundsBytes(): boolean {
    return this.fields.max_bytes > 0;
  }

  /** Whether it ends when there is nothing more for it. */
  get endsEmpty(): boolean {
    return this.fields.no_wait && (this.gotAny || this.expiresMs === Number.POSITIVE_INFINITY);
  }

  /** It gets a message of so many bytes. */
  take(bytes: number, nowMs: number): void {
    this.left--;
    this.bytesLeft -= bytes;
    this.gotAny = true;
    if (this.heartbeatMs > 0) this.beatMs = nowMs + this.heartbeatMs;
  }

  get isDone(): boolean {
    return this.left === 0 || this.bytesLeft === 0;
  }

  /** What a status says of what it has not got. */
  get rest(): Readonly<Record<string, number>> {
    return { 'Nats-Pending-Messages': this.left, 'Nats-Pending-Bytes': this.boundsBytes ? this.bytesLeft : 0 };
  }
}
