import type { Broker, ConnectedBroker } from 'shardcast';
import { codecs } from 'shardcast';
import type { DoorClient, DoorMessage } from './everyDoor.js';

/**
 * The API inside the process, in the thread that has started the broker or in another.
 *
 * @param onSubscribed is given what is to be ended after the test
 */
export function processDoor(
  broker: Broker | ConnectedBroker,
  onSubscribed: (subscription: { unsubscribe(): void }) => void = () => {},
): DoorClient {
  return {
    async subscribe(subject, take, last) {
      const topic = broker.topic(subject, { codec: codecs.bytes });
      onSubscribed(topic.subscribe((message) => take(asSeen(message)), { last }));
    },
    async publish({ subject, payload, ...fields }) {
      await broker.topic(subject, { codec: codecs.bytes }).publish(Buffer.from(payload, 'base64'), fields);
    },
  };
}

type Seen = Pick<DoorMessage, 'subject' | 'key' | 'traceparent' | 'correlationId' | 'reply'> & {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
};

function asSeen({ subject, bytes, key, traceparent, correlationId, reply, headers }: Seen): DoorMessage {
  const own = ['Shardcast-Key', 'traceparent', 'Correlation-Id'];
  const others = Object.entries(headers).filter(([name]) => !own.includes(name));
  return {
    subject,
    payload: Buffer.from(bytes).toString('base64'),
    key,
    traceparent,
    correlationId,
    reply,
    headers: others.length === 0 ? undefined : Object.fromEntries(others),
  };
}
