import net, { type Socket } from 'node:net';

/**
 * Well-behaved pairs, in a process of their own: of each, one publishes a message, and the other answers when it has come. One more publishes evenly, and
 * the other counts. Told `lap`, it says how long round trips took since the last time, in milliseconds, where one that is under way counts with its age;
 * and how many of the even messages came.
 */
interface Lap {
  readonly durationMs: number;
  readonly received: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** How long this process itself, which does nothing else, was kept from running at most: on a busy machine that is part of what it waits. */
  readonly keptMs: number;
}

let took: number[] = [];
let begunMs = performance.now();
let keptMs = 0;
let ranMs = begunMs;
const lookMs = 5;

setInterval(() => {
  const nowMs = performance.now();
  keptMs = Math.max(keptMs, nowMs - ranMs - lookMs);
  ranMs = nowMs;
}, lookMs);

class Pair {
  #sentMs = 0;
  #waiting = false;
  readonly #asker: Socket;
  readonly #subject: string;

  constructor(port: number, subject: string) {
    this.#subject = subject;
    const answerer = open(port, `SUB ${subject}.to 1\r\n`, () => answerer.write(`PUB ${subject}.back 1\r\nx\r\n`));
    this.#asker = open(port, `SUB ${subject}.back 1\r\n`, () => this.#answered());
    // both subscriptions are known by then, or the first message is asked again
    setTimeout(() => this.#ask(), 300);
  }

  get waitedMs(): number {
    return this.#waiting ? performance.now() - this.#sentMs : 0;
  }

  #ask(): void {
    this.#sentMs = performance.now();
    this.#waiting = true;
    this.#asker.write(`PUB ${this.#subject}.to 1\r\nx\r\n`);
  }

  #answered(): void {
    took.push(performance.now() - this.#sentMs);
    this.#waiting = false;
    setTimeout(() => this.#ask(), 1);
  }
}

/** So many messages a second, which is little, as evenly as a timer goes. */
const steadyRate = 10_000;

class SteadyPair {
  #received = 0;
  #sent = 0;
  readonly #begunMs = performance.now();
  readonly #publisher: Socket;
  readonly #message: string;

  constructor(port: number, subject: string) {
    this.#message = `PUB ${subject} 16\r\n0123456789abcdef\r\n`;
    open(port, `SUB ${subject} 1\r\n`, () => this.#received++);
    this.#publisher = open(port, '', () => {});
    setInterval(() => this.#send(), 5);
  }

  takeReceived(): number {
    const received = this.#received;
    this.#received = 0;
    return received;
  }

  #send(): void {
    const due = Math.floor(((performance.now() - this.#begunMs) / 1000) * steadyRate);
    this.#publisher.write(this.#message.repeat(due - this.#sent));
    this.#sent = due;
  }
}

/** A client that calls `onMessage` for each delivery. */
function open(port: number, lines: string, onMessage: () => void): Socket {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  let rest = '';
  socket.on('data', (chunk) => {
    const all = (rest + chunk.toString('latin1')).split('\r\n');
    rest = all.pop()!;
    for (const line of all) {
      if (line === 'PING') socket.write('PONG\r\n');
      else if (line.startsWith('MSG')) onMessage();
    }
  });
  socket.write(`CONNECT {"verbose":false,"pedantic":false,"auth_token":"pair"}\r\n${lines}`);
  return socket;
}

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const steady = new SteadyPair(port, `steady.${process.pid}`);
const pairs = Array.from({ length: count }, (_, i) => new Pair(port, `pair.${process.pid}.${i}`));

process.on('message', () => {
  const all = [...took, ...pairs.map((pair) => pair.waitedMs).filter((ms) => ms > 20)].sort((a, b) => a - b);
  const nowMs = performance.now();
  const lap: Lap = {
    durationMs: nowMs - begunMs,
    received: steady.takeReceived(),
    p99Ms: all[Math.floor(all.length * 0.99)] ?? 0,
    longestMs: all.at(-1) ?? 0,
    keptMs,
  };
  took = [];
  keptMs = 0;
  begunMs = nowMs;
  process.send!(lap);
});
