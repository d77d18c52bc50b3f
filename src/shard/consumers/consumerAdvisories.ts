import { timeText } from '../../base/timeText.js';
import type { JsonObject } from '../../stream/api/json.js';
import type { Consumer } from '../../stream/consumer/consumer.js';
import { zeroTime } from '../../stream/times.js';
import type { Advisories } from '../streams/advisories.js';
import type { UnpinReason } from './pins.js';

const nanosecondsInMs = 1e6;
/** What nats-server calls the account of who has none. */
const account = '$G';

/** What is known of a delivery of which is told. */
export interface ToldDelivery {
  readonly sequence: number;
  readonly delivery: number;
  readonly deliveries: number;
}

/** Tells whoever listens below `$JS.EVENT` what becomes of consumers and their messages. */
export class ConsumerAdvisories {
  readonly #advisories: Advisories;

  constructor(advisories: Advisories) {
    this.#advisories = advisories;
  }

  sayAction(consumer: Consumer, action: 'create' | 'delete'): void {
    this.#say(action === 'create' ? 'CREATED' : 'DELETED', 'consumer_action', consumer, () => ({ action }));
  }

  /** @param untilUs microseconds since 1970; null for no time at all */
  sayPaused(consumer: Consumer, paused: boolean, untilUs: number | null): void {
    this.#say('PAUSE', 'consumer_pause', consumer, () => ({
      paused,
      pause_until: untilUs === null ? zeroTime : timeText(untilUs),
    }));
  }

  sayGivenUp(consumer: Consumer, sequence: number, deliveries: number): void {
    this.#say('MAX_DELIVERIES', 'max_deliver', consumer, () => ({ stream_seq: sequence, deliveries }));
  }

  sayRefused(consumer: Consumer, told: ToldDelivery): void {
    this.#say('MSG_NAKED', 'nak', consumer, () => fieldsOf(told));
  }

  sayTerminated(consumer: Consumer, told: ToldDelivery, reason: string): void {
    this.#say('MSG_TERMINATED', 'terminated', consumer, () => ({
      ...fieldsOf(told),
      reason: reason || undefined,
    }));
  }

  sayPinned(consumer: Consumer, id: string): void {
    this.#say('PINNED', 'consumer_group_pinned', consumer, () => ({
      account,
      group: groupOf(consumer),
      pinned_id: id,
    }));
  }

  sayUnpinned(consumer: Consumer, reason: UnpinReason): void {
    this.#say('UNPINNED', 'consumer_group_unpinned', consumer, () => ({
      account,
      group: groupOf(consumer),
      reason,
    }));
  }

  /** A sample of how long messages take to be acknowledged. */
  sayAcknowledged(consumer: Consumer, told: ToldDelivery, tookMs: number): void {
    const { stream, name } = consumer;
    this.#advisories.say(`METRIC.CONSUMER.ACK.${stream.name}.${name}`, 'metric.v1.consumer_ack', () => ({
      stream: stream.name,
      consumer: name,
      consumer_seq: told.delivery,
      stream_seq: told.sequence,
      ack_time: Math.round(tookMs * nanosecondsInMs),
      deliveries: told.deliveries,
    }));
  }

  #say(what: string, type: string, { stream, name }: Consumer, fields: () => JsonObject): void {
    const to = `ADVISORY.CONSUMER.${what}.${stream.name}.${name}`;
    this.#advisories.say(to, `advisory.v1.${type}`, () => ({ stream: stream.name, consumer: name, ...fields() }));
  }
}

function fieldsOf({ sequence, delivery, deliveries }: ToldDelivery): JsonObject {
  return { consumer_seq: delivery, stream_seq: sequence, deliveries };
}

function groupOf({ config }: Consumer): string {
  return config.priority_groups[0] ?? '';
}
