import { type Line, wordsOf } from './lineReader.js';
import type { Load } from './loads.js';
import { Api, Peer } from './peer.js';

const stream = 'BENCH';
const payloadBytes = 128;
const publishBatch = 500;
const batchesUnderWay = 40;

/** Makes the stream and fills it. */
export async function fill(port: number, messages: number): Promise<void> {
  const api = await Api.open(port);
  await api.ask(`STREAM.CREATE.${stream}`, { name: stream, subjects: ['bench.>'], storage: 'file' });
  api.close();
  const body = `${payloadBytes}\r\n${'x'.repeat(payloadBytes)}\r\n`;
  const plain = `PUB bench.one ${body}`.repeat(publishBatch - 1);
  const block = Buffer.from(`${plain}PUB bench.one filled ${body}`);
  const batches = Math.ceil(messages / publishBatch);
  await new Promise<void>((resolve, reject) => {
    let sent = 0;
    let stored = 0;
    const publishing = Peer.open(port, () => {
      stored++;
      if (stored === batches) publishing.then((peer) => resolve(peer.close()), reject);
      else send();
    });
    const send = (): void =>
      void publishing.then(({ socket }) => {
        for (; sent < batches && sent - stored < batchesUnderWay; sent++) socket.write(block);
      }, reject);
    publishing.then(({ socket }) => {
      socket.write('SUB filled 1\r\n');
      send();
    }, reject);
  });
}

/** Reads `messages` of the stream by a consumer of its own; resolves when all have come, and are acknowledged as the load says. */
export async function consume(port: number, load: Load, consumer: string, messages: number): Promise<void> {
  const api = await Api.open(port);
  const reading = new Reading(load, consumer, messages);
  await reading.open(port);
  await api.ask(`CONSUMER.CREATE.${stream}.${consumer}`, { stream_name: stream, config: configOf(load, consumer) });
  reading.begin();
  await reading.done;
  for (;;) {
    const { num_ack_pending } = await api.ask(`CONSUMER.INFO.${stream}.${consumer}`);
    if (num_ack_pending === 0) break;
  }
  await api.ask(`CONSUMER.DELETE.${stream}.${consumer}`);
  reading.close();
  api.close();
}

function configOf({ batch, acks }: Load, consumer: string): Record<string, unknown> {
  const config = { durable_name: consumer, ack_policy: acks === 'none' ? 'none' : 'explicit' };
  if (batch > 0) return { ...config, mem_storage: acks === 'none' };
  return { ...config, mem_storage: true, deliver_subject: 'in0', flow_control: true, idle_heartbeat: 5e9 };
}

/** Those who read, on a connection each. */
class Reading {
  readonly done: Promise<void>;
  readonly #load: Load;
  readonly #consumer: string;
  readonly #messages: number;
  readonly #peers: Peer[] = [];
  /** What each is to send when it has looked at what came, and how many messages it has asked for that have not come. */
  readonly #out: string[] = [];
  readonly #asked: number[] = [];
  #got = 0;
  #confirmations = 0;
  #resolve: () => void = () => {};

  constructor(load: Load, consumer: string, messages: number) {
    this.#load = load;
    this.#consumer = consumer;
    this.#messages = messages;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  async open(port: number): Promise<void> {
    for (let i = 0; i < this.#load.workers; i++) {
      this.#out.push('');
      this.#asked.push(0);
      const peer = await Peer.open(port, (line) => this.#take(i, line));
      peer.socket.write(`SUB in${i} 1\r\nSUB told${i}.* 2\r\n`);
      this.#peers.push(peer);
    }
  }

  begin(): void {
    for (const [i, { socket }] of this.#peers.entries()) {
      socket.on('data', () => this.#flush(i));
      this.#flush(i);
    }
  }

  #take(worker: number, line: Line): void {
    const { acks } = this.#load;
    const isMessage = line.payloadBytes === payloadBytes;
    if (isMessage) this.#asked[worker]!--;
    // a question about the flow, or a confirmation
    if (!isMessage && this.#load.batch === 0) this.#answerFlow(line);
    if (isMessage && acks !== 'none') {
      const reply = wordsOf(line)[3];
      const told = acks === 'confirmed' ? ` told${worker}.${++this.#confirmations}` : '';
      this.#out[worker] += `PUB ${reply}${told} 0\r\n\r\n`;
    }
    const counts = acks === 'confirmed' ? line.payloadBytes === 0 : isMessage;
    if (counts && ++this.#got === this.#messages) this.#resolve();
  }

  #answerFlow(line: Line): void {
    const [, , , reply, , more] = wordsOf(line);
    if (more !== undefined) this.#out[0] += `PUB ${reply} 0\r\n\r\n`;
  }

  /** Asks for more in time, and sends what has collected. */
  #flush(worker: number): void {
    const { batch } = this.#load;
    const body = JSON.stringify({ batch, expires: 30e9 });
    while (batch > 0 && this.#asked[worker]! <= batch && this.#got < this.#messages) {
      this.#asked[worker]! += batch;
      const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${this.#consumer}`;
      this.#out[worker] += `PUB ${subject} in${worker} ${body.length}\r\n${body}\r\n`;
    }
    const text = this.#out[worker];
    this.#out[worker] = '';
    if (text) this.#peers[worker]!.socket.write(text, 'latin1');
  }

  close(): void {
    for (const peer of this.#peers) peer.close();
  }
}
