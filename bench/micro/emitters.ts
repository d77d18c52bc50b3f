import { EventEmitter } from 'node:events';
import Emittery from 'emittery';
import { EventEmitter as EventEmitter3 } from 'eventemitter3';
import mitt from 'mitt';
import { Subject } from 'rxjs';
import { type Broker, codecs, startBroker } from 'shardcast';
import { keep } from './pair.js';

/** A way to publish to subscribers of the same thread. */
export interface Emitter {
  readonly name: string;
  /** What a publisher and its subscribers can rely on. */
  readonly guarantees: string;
  /** Publishes the payload so many times; returns, or resolves, when every subscriber has had every one. */
  publish(count: number): void | Promise<void>;
  close?(): Promise<void>;
}

// its types describe a CommonJS module, of which this would be a member
const createMitt = mitt as unknown as typeof mitt.default;
const payload = new Uint8Array(16);
const synchronous = 'one object for all, at once, this thread only; no bound';

/** Everything that is compared, each with so many subscribers that read the payload's length. */
export async function createEmitters(subscribers: number): Promise<Emitter[]> {
  const read = (value: Uint8Array): void => keep(value.length);
  const broker = await startBroker({ shards: 1, listen: false, logLevel: 'silent' });
  const each = (subscribe: () => void): void => {
    for (let i = 0; i < subscribers; i++) subscribe();
  };
  const emitter = new EventEmitter();
  const emitter3 = new EventEmitter3();
  const mitter = createMitt<{ message: Uint8Array }>();
  const emittery = new Emittery<{ message: Uint8Array }>();
  const subject = new Subject<Uint8Array>();
  each(() => emitter.on('message', (value) => read(value)));
  each(() => emitter3.on('message', (value) => read(value)));
  each(() => mitter.on('message', (value) => read(value)));
  each(() => emittery.on('message', (value) => read(value)));
  each(() => subject.subscribe((value) => read(value)));
  return [
    repeated('EventEmitter', synchronous, () => emitter.emit('message', payload)),
    repeated('eventemitter3', synchronous, () => emitter3.emit('message', payload)),
    repeated('mitt', synchronous, () => mitter.emit('message', payload)),
    repeated('RxJS Subject', synchronous, () => subject.next(payload)),
    {
      name: 'emittery',
      guarantees: 'one object for all, in a later microtask, this thread only; resolves when all have had it; no bound',
      async publish(count) {
        for (let i = 0; i < count; i++) await emittery.emit('message', payload);
      },
    },
    offering(broker, subscribers),
    synchronously(broker, subscribers, read),
  ];
}

function repeated(name: string, guarantees: string, emit: () => void): Emitter {
  return {
    name,
    guarantees,
    publish(count) {
      for (let i = 0; i < count; i++) emit();
    },
  };
}

/** Ours as one would feed it: as long as there is room, then a turn for the others. */
function offering(broker: Broker, subscribers: number): Emitter {
  const topic = broker.topic('offered', { codec: codecs.bytes });
  let due = 0;
  let finish = (): void => {};
  for (let i = 0; i < subscribers; i++)
    topic.subscribe((message) => {
      keep(message.value.length);
      if (--due === 0) finish();
    });
  return {
    name: 'shardcast, offer',
    guarantees:
      'own copy for each, ordered by a shard on another thread, whichever thread or client publishes; bounded; full is told',
    async publish(count) {
      due += count * subscribers;
      const finished = new Promise<void>((resolve) => {
        finish = resolve;
      });
      for (let i = 0; i < count; i++) if (!topic.offer(payload)) await topic.publish(payload);
      await finished;
    },
    close: () => broker.stop(),
  };
}

function synchronously(broker: Broker, subscribers: number, read: (value: Uint8Array) => void): Emitter {
  const topic = broker.topic('synchronous', { codec: codecs.bytes });
  for (let i = 0; i < subscribers; i++) topic.subscribe(({ value }) => read(value));
  return {
    name: 'shardcast, publishSync',
    guarantees: 'as offer, and each resolves when every subscriber, on any thread, has finished',
    async publish(count) {
      const publishes: Promise<void>[] = [];
      for (let i = 0; i < count; i++) publishes.push(topic.publishSync(payload));
      await Promise.all(publishes);
    },
  };
}
