import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import type { PullRequestJson } from '../../protocol/streamApi/consumerJson.js';
import { nsPerMs } from '../../protocol/streamApi/storedReading.js';

/** How a request for messages ended. */
export type PullEnd =
  /** All that was asked for is there. */
  | { readonly kind: 'full' }
  /** Whoever takes the messages wants no more of this request, or there was an interrupt. */
  | { readonly kind: 'left' }
  /** The server says why: its time is over, or something is wrong. */
  | { readonly kind: 'told'; readonly code: number; readonly text: string }
  /** Nothing was heard of it, not even that there is nothing. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'failed'; readonly error: Error };

export interface Pull {
  /** Where the consumer is asked. */
  readonly subject: string;
  readonly batch: number;
  readonly waitMs: number;
  /** Takes a message, and says whether it goes on. */
  readonly take: (message: Msg) => boolean;
  /** Ends it; what is on its way is taken first. */
  readonly signal?: AbortSignal;
}

const heartbeatMsMax = 5000;
/** A heartbeat may be late by so much beside one that is missed. */
const lateMs = 1000;
const idleHeartbeat = 100;

/** Asks a consumer for messages, once, and takes them. */
export function pull(connection: NatsConnection, { subject, batch, waitMs, take, signal }: Pull): Promise<PullEnd> {
  const inbox = createInbox();
  const heartbeatMs = Math.min(heartbeatMsMax, Math.floor(waitMs / 2));
  let left = batch;
  return new Promise((resolve) => {
    const finish = (end: PullEnd): void => {
      clearTimeout(silence);
      signal?.removeEventListener('abort', leave);
      subscription.unsubscribe();
      resolve(end);
    };
    const leave = (): void => void subscription.drain().then(() => finish({ kind: 'left' }));
    const callback = (error: Error | null, message: Msg): void => {
      if (error) {
        finish({ kind: 'failed', error });
        return;
      }
      silence.refresh();
      // what is delivered comes under the subject that it was stored with
      if (message.subject !== inbox) {
        if (!take(message)) finish({ kind: 'left' });
        else if (--left === 0) finish({ kind: 'full' });
        return;
      }
      const { code = 0, description = '' } = message.headers ?? {};
      if (code !== idleHeartbeat) finish({ kind: 'told', code, text: description });
    };
    const subscription = connection.subscribe(inbox, { callback });
    const silence = setTimeout(() => finish({ kind: 'silent' }), 2 * heartbeatMs + lateMs);
    const asked: PullRequestJson = { batch, expires: waitMs * nsPerMs, idle_heartbeat: heartbeatMs * nsPerMs };
    connection.publish(subject, JSON.stringify(asked), { reply: inbox });
    if (signal?.aborted) leave();
    else signal?.addEventListener('abort', leave);
  });
}

/** Whether a request ended because there is nothing more for it now. */
export function isOver(end: PullEnd): boolean {
  return end.kind === 'told' && (end.code === 404 || end.code === 408);
}
