import type { Taker } from '../../stream/consumer/delivering.js';

/** Where a consumer's messages go: to whoever has asked, or to a subject. */
export interface DeliveryTarget extends Omit<Taker, 'flush'> {
  /** When something is due for it next, in milliseconds; infinity for never. */
  readonly dueMs: number;
  /** When somebody was there for its messages last, in milliseconds. */
  readonly usedMs: number;
  /** Does what is due. @returns whether somebody may take messages now who did not */
  tick(nowMs: number): boolean;
  /** Whether somebody is there, whose turn may come when there are more messages. */
  readonly isAwaited: boolean;
  /** All that there is was delivered. */
  onEmpty(): void;
  /** The consumer is configured otherwise. */
  onUpdate(): void;
  /** No more is delivered: whoever waits is told. */
  end(status: string, withRest: boolean): void;
}
