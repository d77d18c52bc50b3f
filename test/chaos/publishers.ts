import { fail } from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { JetStreamApiError, type JetStreamClient } from '@nats-io/jetstream';
import type { Ledger } from './ledger.js';
import { publishedText } from './publishedText.js';

/** Messages of a publisher that are not acknowledged yet. */
const windowMax = 64;
const underWayMax = 8;

/** Who publishes to a stream: its next message is another one in every life. */
export class Publisher {
  readonly name: string;
  readonly stream: string;
  readonly #ledger: Ledger;
  readonly #onAcknowledged: () => void;
  #index = 0;

  constructor(name: string, stream: string, ledger: Ledger, onAcknowledged: () => void) {
    this.name = name;
    this.stream = stream;
    this.#ledger = ledger;
    this.#onAcknowledged = onAcknowledged;
  }

  /** By the official client, until the broker is gone or its disk takes no more. */
  async publishOfficially(js: JetStreamClient): Promise<void> {
    const one = async (): Promise<void> => {
      for (;;) {
        const text = this.#next();
        try {
          const { seq } = await js.publish(this.#subject, text, { retries: 0 } as never);
          this.#acknowledge(seq, text);
        } catch (error) {
          if (isRefusal(error)) return;
          throw error;
        }
      }
    };
    // one after the other would never have two of them in one commit
    await Promise.all(Array.from({ length: underWayMax }, one));
  }

  /** `PUB`s with replies of their own, many in a segment. */
  async publishRaw(port: number): Promise<void> {
    const socket = await connected(port);
    const waiting = new Map<string, string>();
    let replies = 0;
    const fill = (): void => {
      let out = '';
      while (waiting.size < windowMax) {
        const text = this.#next();
        const reply = `_INBOX.${this.name}.${replies++}`;
        waiting.set(reply, text);
        out += `PUB ${this.#subject} ${reply} ${text.length}\r\n${text}\r\n`;
      }
      socket.write(out);
    };
    socket.write(`CONNECT {"verbose":false}\r\nSUB _INBOX.${this.name}.* 1\r\n`);
    fill();
    let reply = '';
    for await (const line of linesOf(socket)) {
      if (line.startsWith('MSG ')) reply = line.split(' ')[1] as string;
      else if (line === 'PING') socket.write('PONG\r\n');
      if (!line.startsWith('{')) continue;
      const ack = JSON.parse(line) as { seq: number; error?: { err_code: number } };
      if (ack.error !== undefined) return isDiskError(ack.error.err_code) ? end(socket) : fail(line);
      this.#acknowledge(ack.seq, waiting.get(reply) as string);
      waiting.delete(reply);
      if (waiting.size < windowMax / 2) fill();
    }
  }

  /** Lines of JSON with names, which are answered when they are stored. */
  async publishLines(port: number): Promise<void> {
    const socket = await connected(port);
    const waiting = new Map<number, string>();
    let ids = 0;
    const publish = (): void => {
      const text = this.#next();
      waiting.set(ids, text);
      const command = { command: 'PUB', topic: this.#subject, payload: text, id: ids++ };
      socket.write(`${JSON.stringify(command)}\n`);
    };
    for (let i = 0; i < windowMax; i++) publish();
    for await (const line of linesOf(socket)) {
      const { id, error } = JSON.parse(line) as { id: number; error?: string };
      if (error !== undefined) return /^not stored: /.test(error) ? end(socket) : fail(line);
      this.#ledger.acknowledgeText(waiting.get(id) as string);
      waiting.delete(id);
      this.#onAcknowledged();
      publish();
    }
  }

  get #subject(): string {
    return `${this.stream}.${this.name}`;
  }

  #next(): string {
    return publishedText(this.name, this.#index++);
  }

  #acknowledge(sequence: number, text: string): void {
    this.#ledger.acknowledge(sequence, text);
    this.#onAcknowledged();
  }
}

/** Whether a request or a publish was refused for what a broken or full disk refuses. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return isDiskError(error.code);
  return /file too large|insufficient resources|EFBIG/.test((error as Error).message);
}

/** No memory or room, could not be stored, and what creating, changing and deleting say then. */
function isDiskError(code: number): boolean {
  return [10023, 10077, 10049, 10069, 10050, 10057].includes(code);
}

async function connected(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  // a reset is one more way of being ended
  socket.on('error', () => {});
  return socket;
}

function linesOf(socket: net.Socket): AsyncIterable<string> {
  return createInterface({ input: socket });
}

function end(socket: net.Socket): void {
  socket.destroy();
}
