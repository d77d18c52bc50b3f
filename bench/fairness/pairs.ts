import net, { type Socket } from 'node:net';

/**
 * Well-behaved pairs, in a process of their own: of each, one publishes a message, and the other answers when it has come. Told `lap`, it says how long
 * round trips took since the last time, in milliseconds; one that is under way counts with its age.
 */
interface Lap {
  readonly count: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

let took: number[] = [];

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
  socket.write(`CONNECT {"verbose":false,"pedantic":false}\r\n${lines}`);
  return socket;
}

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const pairs = Array.from({ length: count }, (_, i) => new Pair(port, `pair.${process.pid}.${i}`));

process.on('message', () => {
  const all = [...took, ...pairs.map((pair) => pair.waitedMs).filter((ms) => ms > 20)].sort((a, b) => a - b);
  took = [];
  const lap: Lap = { count: all.length, p99Ms: all[Math.floor(all.length * 0.99)] ?? 0, longestMs: all.at(-1) ?? 0 };
  process.send!(lap);
});
