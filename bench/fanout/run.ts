import { Client, type Speech } from '../doors/client.js';
import type { Server } from '../doors/server.js';
import { type Block, blocksOf, type Load } from './load.js';

export interface Outcome {
  /** Of the broker, a message. */
  readonly cpuUs: number;
  readonly messagesPerSecond: number;
}

/** Blocks that are on their way at most: as much as keeps all threads busy. */
const blocksUnderWay = 64;

/** Publishes `messages` to warm the broker up, and as many that are measured. */
export async function measure(server: Server, load: Load, messages: number): Promise<Outcome> {
  const subscribers = await Promise.all(
    load.subscribers.map(({ subscribe }) => Client.open(server.port, says(subscribe))),
  );
  const publishers = await Promise.all(
    blocksOf(load).map(async (blocks) => new Publisher(await Client.open(server.port, says('')), blocks)),
  );
  const run = new Run(publishers, subscribers);
  try {
    await run.publish(messages);
    const [cpuSeconds, startMs] = [server.cpuSeconds(), performance.now()];
    const published = await run.publish(messages);
    return {
      cpuUs: ((server.cpuSeconds() - cpuSeconds) * 1e6) / published,
      messagesPerSecond: (published * 1000) / (performance.now() - startMs),
    };
  } finally {
    for (const client of [...subscribers, ...publishers.map(({ client }) => client)]) client.close();
  }
}

class Publisher {
  readonly client: Client;
  readonly #blocks: readonly Block[];
  #next = 0;

  constructor(client: Client, blocks: readonly Block[]) {
    this.client = client;
    this.#blocks = blocks;
  }

  send(): Block {
    const block = this.#blocks[this.#next++ % this.#blocks.length]!;
    this.client.socket.write(block.bytes);
    return block;
  }
}

/** Publishers in turn, as fast as the slowest subscriber has what was sent some blocks ago. */
class Run {
  readonly #publishers: readonly Publisher[];
  readonly #subscribers: readonly Client[];
  /** What each subscriber should have once the blocks on their way have come, the oldest first. */
  readonly #awaited: number[][] = [];
  readonly #total: number[];
  #turn = 0;

  constructor(publishers: readonly Publisher[], subscribers: readonly Client[]) {
    this.#publishers = publishers;
    this.#subscribers = subscribers;
    this.#total = subscribers.map(() => 0);
  }

  /** Resolves to how many were, when all have come. */
  publish(messages: number): Promise<number> {
    let published = 0;
    return new Promise((resolve) => {
      const goOn = (): void => {
        while (this.#awaited.length > 0 && this.#has(this.#awaited[0]!)) this.#awaited.shift();
        while (published < messages && this.#awaited.length < blocksUnderWay) published += this.#send();
        if (this.#awaited.length === 0) resolve(published);
      };
      for (const subscriber of this.#subscribers) subscriber.onContent = goOn;
      goOn();
    });
  }

  #send(): number {
    const block = this.#publishers[this.#turn++ % this.#publishers.length]!.send();
    for (const [i, bytes] of block.deliveredBytes.entries()) this.#total[i]! += bytes;
    this.#awaited.push([...this.#total]);
    return block.messages;
  }

  #has(bytes: readonly number[]): boolean {
    return this.#subscribers.every(({ contentBytes }, i) => contentBytes >= bytes[i]!);
  }
}

/** A NATS client that counts all the bytes it gets. */
function says(subscribe: string): Speech {
  return {
    hello: Buffer.from(`CONNECT {"verbose":false}\r\n${subscribe}PING\r\n`),
    ready: (received) => received.endsWith('PONG\r\n'),
    publish: Buffer.alloc(0),
    deliveryBytes: 1,
    counter: () => (_, lengthBytes) => lengthBytes,
  };
}
