import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { StreamCalls, StreamShards } from '../shard/streams/streamCalls.js';
import type { StreamCallHandlers } from '../shard/streams/streams.js';
import { type AnswerMessage, answerCall, type CallMessage, Calls } from './calls.js';

/** The shard that decides on owners and streams, one change at a time, and asks the others. */
export const decider = 0;

/** The ends of the ways between the shard that decides and each other one, by shard: its own are in the order of the others. */
export function makeStreamPorts(shards: number): readonly (readonly MessagePort[])[] {
  const channels = Array.from({ length: shards - 1 }, () => new MessageChannel());
  return [channels.map(({ port1 }) => port1), ...channels.map(({ port2 }) => [port2])];
}

/** One shard's end: at the deciding shard it calls all others and its own, at the others it answers. */
export class StreamLinks implements StreamShards {
  readonly #ports: readonly MessagePort[];
  readonly #calls: readonly Calls<StreamCalls>[];
  #handlers: StreamCallHandlers | null = null;

  constructor(self: number, ports: readonly MessagePort[]) {
    this.#ports = ports;
    this.#calls = ports.map((port) => new Calls<StreamCalls>((call) => port.postMessage(call)));
    for (const [i, port] of ports.entries())
      port.on('message', (message: CallMessage<StreamCalls> | AnswerMessage) => {
        if (message.type === 'answer') this.#calls[i].onAnswer(message);
        else if (self !== decider && this.#handlers !== null)
          answerCall(this.#handlers, message, (answer) => port.postMessage(answer));
      });
  }

  /** Begins to answer. */
  serve(handlers: StreamCallHandlers): void {
    this.#handlers = handlers;
  }

  async call<K extends keyof StreamCalls>(
    shard: number,
    name: K,
    ...given: Parameters<StreamCalls[K]>
  ): Promise<ReturnType<StreamCalls[K]> | null> {
    if (shard !== decider) return await this.#calls[shard - 1].call(name, ...given);
    const handle = this.#handlers?.[name] as
      | ((...given: Parameters<StreamCalls[K]>) => ReturnType<StreamCalls[K]>)
      | undefined;
    return handle === undefined ? null : await handle(...given);
  }

  close(): void {
    for (const port of this.#ports) port.close();
    for (const calls of this.#calls) calls.abandon();
  }
}
