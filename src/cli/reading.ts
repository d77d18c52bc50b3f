import type { Socket } from 'node:net';
import type { NatsConnection } from '@nats-io/transport-node';
import type { OutputFlow } from './output.js';

/**
 * Stops and starts reading from the server. The client has no word for it and would queue messages without bound, so
 * this reaches for its socket; when a later version hides it elsewhere, all is as if there were no back-pressure.
 */
export function readingOf(connection: NatsConnection): OutputFlow {
  const socket = () => (connection as { protocol?: { transport?: { socket?: Socket } } }).protocol?.transport?.socket;
  return {
    pause: () => socket()?.pause(),
    resume: () => socket()?.resume(),
  };
}
