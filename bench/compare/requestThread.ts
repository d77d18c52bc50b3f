import { parentPort, workerData } from 'node:worker_threads';
import { nowNs } from './clock.js';
import { Connection } from './connection.js';
import { IncidentLog } from './incidentLog.js';
import { emptyHistogram, encodedHistogram } from './latencyRecorder.js';
import { codecs } from './protocol/codecs.js';
import { RequestReader } from './requestReader.js';
import type { RequestScenario } from './scenario.js';
import { SharedCounters } from './sharedCounters.js';
import type { Endpoint } from './threadMessages.js';

/** What the thread of clients and workers is started with. */
export interface RequestTask {
  readonly scenario: RequestScenario;
  readonly endpoint: Endpoint;
  /** Requests, and answers. */
  readonly counters: SharedArrayBuffer;
}

/** What the thread saw, sent once after it was told to stop asking. */
export interface RequestResult {
  readonly latencies: string;
  /** Answers that had not come some time after the last request. */
  readonly missing: number;
  readonly connectionsLost: number;
  readonly errors: readonly string[];
}

/** From the thread: first that all is open, then what it saw. */
export type RequestReport = 'ready' | RequestResult;

const service = 'bench.service';
const readBufferBytes = 256 * 1_024;
const drainMs = 3_000;
const lookMs = 5;

const port = parentPort!;
const { scenario, endpoint, counters: memory } = workerData as RequestTask;
const counters = new SharedCounters(memory);
const incidents = new IncidentLog();
const latencies = emptyHistogram();
const readBuffer = new Uint8Array(readBufferBytes);
const payload = 'x'.repeat(scenario.payloadBytes);
let fromNs = Number.POSITIVE_INFINITY;
let toNs = Number.POSITIVE_INFINITY;
let asking = false;
let owed = 0;

function open(subjects: readonly string[]): Promise<Connection> {
  const codec = codecs[endpoint.protocol];
  return Connection.open({ ...endpoint, codec, subjects, readBuffer, onLost: incidents.lost });
}

/** Reads what comes to a connection, and sends what was made of a chunk at once. */
function serve(connection: Connection, onMessage: (subject: string, reply: string) => string): void {
  const reader = new RequestReader(onMessage, incidents.error);
  connection.handleChunks((chunk, length) => {
    const answers = reader.read(chunk, length);
    if (answers !== '') connection.socket.write(answers, 'latin1');
  });
}

/** @param subject and behind it, where there is one, the reply */
function publishTo(subject: string): string {
  return `PUB ${subject} ${payload.length}\r\n${payload}\r\n`;
}

async function openWorker(): Promise<void> {
  // a subject and a group, as SUB has them
  const connection = await open([`${service} workers`]);
  serve(connection, (_, reply) => publishTo(reply).repeat(scenario.answers));
}

/** @returns has it ask for the first time */
async function openClient(number: number): Promise<() => void> {
  const inbox = `${scenario.inboxPrefix}.client${String(number).padStart(16, '0')}`;
  const connection = await open([`${inbox}.*`]);
  const askedNs = new Map<string, number>();
  const answersLeft = new Map<string, number>();
  let sequence = 0;
  const ask = (): string => {
    if (!asking) return '';
    const reply = `${inbox}.${sequence++}`;
    askedNs.set(reply, nowNs());
    answersLeft.set(reply, scenario.answers);
    owed += scenario.answers;
    counters.add(0, 1);
    return publishTo(`${service} ${reply}`);
  };
  serve(connection, (subject) => {
    counters.add(1, 1);
    owed--;
    const left = (answersLeft.get(subject) ?? 0) - 1;
    answersLeft.set(subject, left);
    if (left > 0) return '';
    const atNs = askedNs.get(subject);
    if (left < 0 || atNs === undefined) {
      incidents.error(`an answer to ${subject} too many`);
      return '';
    }
    askedNs.delete(subject);
    answersLeft.delete(subject);
    if (atNs >= fromNs && atNs < toNs) latencies.recordValue(Math.max(1, Math.round((nowNs() - atNs) / 1e3)));
    return ask();
  });
  return () => connection.socket.write(Array.from({ length: scenario.inFlight }, ask).join(''), 'latin1');
}

async function finish(): Promise<void> {
  asking = false;
  const lateMs = Date.now() + drainMs;
  while (owed > 0 && Date.now() < lateMs) await new Promise((resolve) => setTimeout(resolve, lookMs));
  const { connectionsLost, errors } = incidents;
  port.postMessage({ latencies: encodedHistogram(latencies), missing: owed, connectionsLost, errors });
}

await Promise.all(Array.from({ length: scenario.workers }, openWorker));
const clients = await Promise.all(Array.from({ length: scenario.clients }, (_, number) => openClient(number)));
port.on('message', (window: { fromNs: number; toNs: number } | null) => {
  if (window === null) {
    void finish();
    return;
  }
  ({ fromNs, toNs } = window);
  asking = true;
  for (const ask of clients) ask();
});
port.postMessage('ready');
