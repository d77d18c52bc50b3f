import { type Frame, type Message, show } from '../../harness/frames.js';
import { RawClient } from '../../harness/rawClient.js';
import { limitedSidMin, queueSidMin, type Step, type Transcript } from './transcript.js';

/** What a step had the connections receive. */
export interface Observed {
  readonly connections: readonly { readonly lines: readonly string[]; readonly closed: boolean }[];
  readonly queued: readonly string[];
}

/** What both servers promise of an order: with more shards, none between topics. */
export interface Promised {
  readonly orderBetweenTopics: boolean;
  /** Whether nats-server says of which request nobody listens; older ones do not. */
  readonly subjectOfStatus: boolean;
}

/** One server's part in a transcript: what each step had each connection receive, as far as it is promised. */
export async function play(port: number, { connects, steps }: Transcript, promised: Promised): Promise<Observed[]> {
  const clients = await Promise.all(connects.map(() => RawClient.open(port)));
  const players = clients.map((client) => new Player(client));
  const log: Observed[] = [];
  for (const [i, line] of connects.entries()) players[i]!.send(line);
  log.push(observed(await Promise.all(players.map((player) => player.observe())), promised));
  for (const step of steps) {
    const speaker = players[step.who]!;
    await speaker.perform(step);
    // the speaker first: its answer means that what it published is on its way to the others
    const own = await speaker.observe();
    const seen = await Promise.all(players.map((player) => (player === speaker ? own : player.observe())));
    log.push(observed(seen, promised));
  }
  for (const client of clients) client.close();
  return log;
}

interface Seen {
  readonly frames: readonly Frame[];
  readonly closed: boolean;
}

/** The reply of the last publish of every observation; it is refused, and the error says which. */
const markReply = /_R_\.mark\.\d+/;

class Player {
  readonly #client: RawClient;
  #marks = 0;
  #over = false;

  constructor(client: RawClient) {
    this.#client = client;
  }

  send(bytes: string): void {
    if (!this.#client.closed) this.#client.send(bytes);
  }

  async perform({ bytes, cuts, ending }: Step): Promise<void> {
    if (this.#over || this.#client.closed) return;
    let from = 0;
    for (const to of [...cuts].map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b)) {
      if (to > from) await this.#client.sendAlone(bytes.slice(from, to));
      from = to;
    }
    this.send(bytes.slice(from));
    if (ending === 'none') return;
    if (ending === 'error') this.send("-ERR 'enough'\r\n");
    if (ending === 'half') this.send('PUB a 10\r\nabc');
    if (ending !== 'error') this.#client.socket.end();
    this.#over = true;
  }

  /** What has come, up to where everything that was said is carried out, or to the end. */
  async observe(): Promise<Seen> {
    const client = this.#client;
    if (this.#over || client.closed) {
      await client.waitClosed();
      return { frames: client.frames.splice(0), closed: true };
    }
    const mark = `_R_.mark.${++this.#marks}`;
    client.send(`PING\r\nPUB m ${mark} 0\r\n\r\n`);
    const frames = await client.readUntilOrClosed((frame) => frame.op === '-ERR' && frame.text.includes(`${mark}"`));
    const closed = client.closed && !frames.some(isMark);
    return { frames: closed ? frames : withoutMark(frames), closed };
  }
}

function isMark(frame: Frame): boolean {
  return frame.op === '-ERR' && markReply.test(frame.text);
}

/** Without the mark, and the PONG before it. */
function withoutMark(frames: readonly Frame[]): Frame[] {
  const pong = frames.findLastIndex(({ op }) => op === 'PONG');
  return frames.filter((frame, i) => i !== pong && !isMark(frame));
}

/** Per connection what it got; queue deliveries for all connections together, for the member is chance. */
function observed(seen: readonly Seen[], promised: Promised): Observed {
  const queued = seen.flatMap(({ frames }) => frames).filter(isQueued);
  return {
    connections: seen.map(({ frames, closed }) => ({
      lines: parts(frames).flatMap((part, n) => comparable(part, promised).map((line) => `${n}: ${line}`)),
      closed,
    })),
    queued: queued.map(({ subject, reply, payload }) => `${subject} ${reply} ${brief(payload)}`).sort(),
  };
}

function brief(payload: Buffer): string {
  const text = payload.toString('latin1');
  return text.length <= 40 ? text : `${text.slice(0, 8)}…${text.length}`;
}

/** Whether a step went for us as for nats-server, as far as that promises anything: what a connection that it ends has got, it may lose. */
export function alike(theirs: Observed, ours: Observed): boolean {
  const anyClosed = ours.connections.some(({ closed }) => closed);
  return (
    same(theirs.queued, ours.queued, anyClosed) &&
    theirs.connections.every(({ lines, closed }, i) => {
      const own = ours.connections[i]!;
      return closed === own.closed && same(lines, own.lines, closed);
    })
  );
}

function same(theirs: readonly string[], ours: readonly string[], mayLose: boolean): boolean {
  if (!mayLose) return theirs.length === ours.length && theirs.every((line, i) => line === ours[i]);
  const rest = [...ours];
  return theirs.every((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

function isMessage(frame: Frame): frame is Message {
  return frame.op === 'MSG';
}

function isQueued(frame: Frame): frame is Message {
  return frame.op === 'MSG' && Number(frame.sid) >= queueSidMin;
}

/** What came between PONGs: what a connection has published itself does not pass one. */
function parts(frames: readonly Frame[]): Frame[][] {
  const all: Frame[][] = [[]];
  for (const frame of frames) {
    all.at(-1)!.push(frame);
    if (frame.op === 'PONG') all.push([]);
  }
  return all;
}

/** Answers in their order; messages in the order that is promised: of each subscription, or of each of its subjects. */
function comparable(frames: readonly Frame[], promised: Promised): string[] {
  const answers = frames.filter(({ op }) => op === '+OK' || op === '-ERR' || op === 'PONG').map(show);
  const byOrder = new Map<string, string[]>();
  for (const message of frames.filter(isMessage)) {
    if (isQueued(message)) continue;
    const [order, line] = placed(message, promised);
    byOrder.set(order, [...(byOrder.get(order) ?? []), line]);
  }
  const ordered = [...byOrder].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, lines]) => lines);
  return [...answers.filter((line) => !isOurs(line)), ...ordered];
}

/** Which messages it has an order with, and how it is shown. */
function placed(message: Message, { orderBetweenTopics, subjectOfStatus }: Promised): [order: string, line: string] {
  const { sid, subject, headers, payload } = message;
  const status = /^NATS\/1\.0 503\r\n(Nats-Subject: .*\r\n)?/.exec(headers?.toString('latin1') ?? '');
  // which of several subscriptions is told that nobody answers is chance
  if (status !== null) return ['status', `503 on ${subject} ${subjectOfStatus ? status[1] : ''}`];
  // of a subscription that ends after a number of messages it is chance which of several topics' they are
  if (!orderBetweenTopics && Number(sid) >= limitedSidMin) return [sid, `MSG of ${sid}`];
  return [
    orderBetweenTopics ? sid : `${sid} ${subject}`,
    show({ ...message, payload: Buffer.from(brief(payload), 'latin1') }),
  ];
}

/** Errors by which we say what nats-server closes a connection for without a word: docs/PROTOCOL.md. */
function isOurs(line: string): boolean {
  return line === "-ERR 'Parser Error'" || line === "-ERR 'message headers not supported'";
}
