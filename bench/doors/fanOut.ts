import { Client, type Speech } from './client.js';
import type { Server } from './server.js';

export interface Load {
  readonly subscribers: number;
  /** Publishes that go in one write, and those that may be under way: the next write waits for the slowest subscriber. */
  readonly atOnce: number;
  readonly underWay: number;
  readonly durationMs: number;
}

export interface Outcome {
  readonly deliveriesPerSecond: number;
  readonly deliveriesPerCpuSecond: number;
}

/** A publisher at the pace of its slowest subscriber, so that no server has to keep more than another. */
export async function fanOut(server: Server, publisher: Speech, subscriber: Speech, load: Load): Promise<Outcome> {
  const clients = await Promise.all(
    Array.from({ length: load.subscribers }, () => Client.open(server.port, subscriber)),
  );
  const source = await Client.open(server.port, publisher);
  const write = Buffer.concat(Array.from({ length: load.atOnce }, () => publisher.publish));
  const run = new PacedRun(clients, source, write, load, subscriber.deliveryBytes);
  await run.for(load.durationMs / 4);
  const [before, cpuBefore, startMs] = [run.received, server.cpuSeconds(), performance.now()];
  await run.for(load.durationMs);
  const deliveries = run.received - before;
  const seconds = (performance.now() - startMs) / 1000;
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  for (const client of [...clients, source]) client.close();
  return { deliveriesPerSecond: deliveries / seconds, deliveriesPerCpuSecond: deliveries / cpuSeconds };
}

class PacedRun {
  readonly #clients: readonly Client[];
  readonly #source: Client;
  readonly #write: Buffer;
  readonly #load: Load;
  readonly #deliveryBytes: number;
  #sent = 0;
  #end: (() => void) | null = null;
  #endMs = 0;
  /** The subscriber that was slowest when last looked: nobody need be looked at while it has not moved on. */
  #slowest = 0;

  constructor(clients: readonly Client[], source: Client, write: Buffer, load: Load, deliveryBytes: number) {
    this.#clients = clients;
    this.#source = source;
    this.#write = write;
    this.#load = load;
    this.#deliveryBytes = deliveryBytes;
    for (const client of clients) client.onContent = () => this.#goOn();
  }

  /** Messages that all subscribers have received. */
  get received(): number {
    return this.#clients.reduce((total, { contentBytes }) => total + contentBytes, 0) / this.#deliveryBytes;
  }

  for(durationMs: number): Promise<void> {
    this.#endMs = performance.now() + durationMs;
    return new Promise((resolve) => {
      this.#end = resolve;
      this.#goOn();
    });
  }

  #goOn(): void {
    const { underWay, atOnce } = this.#load;
    const needed = (this.#sent + atOnce - underWay) * this.#deliveryBytes;
    for (let i = 0; i < this.#clients.length; i++) {
      if (this.#clients[this.#slowest]!.contentBytes < needed) return;
      this.#slowest = (this.#slowest + 1) % this.#clients.length;
    }
    if (this.#end === null) return;
    if (performance.now() >= this.#endMs) {
      const end = this.#end;
      this.#end = null;
      end();
      return;
    }
    this.#sent += atOnce;
    this.#source.socket.write(this.#write);
    setImmediate(() => this.#goOn());
  }
}
