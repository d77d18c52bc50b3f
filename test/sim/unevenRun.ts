import { demand } from '../../src/base/demand.js';
import type { Fullness } from '../../src/base/fullness.js';
import { Backpressure } from '../../src/gateway/backpressure.js';
import { LagBounds } from '../../src/gateway/connection/lag.js';
import type { Connection } from '../../src/gateway/connection.js';
import type { FanoutPlan } from '../../src/gateway/fanoutPlan.js';
import { Waiter } from '../../src/router/holds.js';
import { idleConnection, planOf, subscribed } from '../gateway/connections.js';
import { RouterUnderTest } from '../router/brokerModel.js';

const mib = 1024 * 1024;
const stepMs = 1;
/** As the broker's own defaults have it. */
const maxPendingBytes = 64 * mib;
const bounds = new LagBounds(maxPendingBytes, mib);
/** What the kernels at both ends hold of one connection. */
const kernelBytes = 4 * mib;
/** A publish that goes is a run of so much; the publisher does as many in a step as its speed allows. */
const runBytes = 256 * 1024;
/** How long what one thread announces is on its way to another. */
const wayMs = 1;

/** A reader: how fast it reads, and for how long it reads and pauses in turn, in milliseconds. */
export interface SimReader {
  readonly bytesPerMs: number;
  readonly readsMs: number;
  readonly pausesMs: number;
  /** When it stops for good. */
  readonly stopsAtMs?: number;
  /** Whether it takes all topics by a pattern. */
  readonly wildcard?: boolean;
}

export interface UnevenScene {
  readonly readers: readonly SimReader[];
  /** How fast the publisher is while nobody holds it up, and how much it has to say. */
  readonly bytesPerMs: number;
  readonly bytes: number;
  readonly topics: number;
  readonly durationMs: number;
  /** Where in its cycle each reader begins. */
  readonly phaseMs: (reader: number) => number;
}

export interface UnevenOutcome {
  /** For how long the publisher was held up in all, and for how long at most between two runs that went, in milliseconds. */
  readonly heldMs: number;
  readonly longestHeldMs: number;
  readonly publishedBytes: number;
  /** When each reader was ended as a slow consumer; infinite when it was not. */
  readonly endedMs: readonly number[];
  readonly readBytes: readonly number[];
}

interface Reader extends SimReader {
  readonly connection: Connection;
  pendingBytes: number;
  inKernelBytes: number;
  readBytes: number;
  endedMs: number;
}

/**
 * A publisher on one thread, readers on another's gateway, and a clock: what the broker's own rules make of speeds and pauses. The parts
 * that decide are the broker's; sockets, kernels and clients are numbers.
 */
export function runUneven(scene: UnevenScene): UnevenOutcome {
  let nowMs = 0;
  const onTheWay: { dueMs: number; apply: () => void }[] = [];
  const publishers = new RouterUnderTest(0, 2, 'topic', () => nowMs);
  const gateway = new RouterUnderTest(1, 2, 'topic', () => nowMs);
  const send = (apply: () => void): void => {
    onTheWay.push({ dueMs: nowMs + wayMs, apply });
  };
  const backpressure = new Backpressure({
    onFullness: (topic, state: Fullness) => send(() => publishers.router.holds.setFull(topic.text, 1, state)),
    onLagging: (subject, lags) => send(() => publishers.router.holds.setLagging(subject, 1, lags)),
    onSpent: () => {},
    onGroupSpent: () => {},
  });
  const subjects = Array.from({ length: scene.topics }, (_, i) => `t.${i}`);
  const readers: Reader[] = scene.readers.map((reader, i) => {
    const connection = idleConnection(i + 1);
    for (const subject of reader.wildcard ? ['t.*'] : subjects) {
      gateway.router.interest.addLocal(subscribed(connection, subject, subject));
      publishers.router.interest.setPlain(subject, 1, demand.all);
    }
    return {
      ...reader,
      connection,
      pendingBytes: 0,
      inKernelBytes: 0,
      readBytes: 0,
      endedMs: Number.POSITIVE_INFINITY,
    };
  });

  const note = (reader: Reader): void => {
    const { connection, pendingBytes } = reader;
    connection.lag.judge(pendingBytes, bounds);
    backpressure.note(connection, nowMs);
  };
  const take = (reader: Reader): void => {
    const taken = Math.min(reader.pendingBytes, kernelBytes - reader.inKernelBytes);
    if (taken <= 0) return;
    reader.pendingBytes -= taken;
    reader.inKernelBytes += taken;
    reader.connection.lag.noteProgress();
    note(reader);
  };
  const end = (reader: Reader): void => {
    reader.endedMs = nowMs;
    reader.connection.enter('closed', 'test');
    for (const subscription of reader.connection.subscriptions.values())
      gateway.router.interest.removeLocal(subscription);
    backpressure.note(reader.connection, nowMs);
  };
  const deliver = (subject: string): void => {
    for (const reader of readers) {
      if (reader.endedMs !== Number.POSITIVE_INFINITY) continue;
      reader.pendingBytes += runBytes;
      if (reader.pendingBytes > maxPendingBytes + kernelBytes) {
        end(reader);
        continue;
      }
      take(reader);
      note(reader);
    }
    const topic = gateway.topic(subject);
    topic.plan ??= planOf(topic);
    if (backpressure.any) backpressure.afterDelivery(topic, topic.plan as FanoutPlan, nowMs);
  };
  const read = (reader: Reader, i: number): void => {
    const cycleMs = reader.readsMs + reader.pausesMs;
    const reads = (nowMs + scene.phaseMs(i)) % cycleMs < reader.readsMs && nowMs < (reader.stopsAtMs ?? Infinity);
    if (!reads) return;
    const bytes = Math.min(reader.inKernelBytes, reader.bytesPerMs * stepMs);
    reader.inKernelBytes -= bytes;
    reader.readBytes += bytes;
    // the kernel says that it has room when a third of it is free
    if (reader.inKernelBytes < (kernelBytes * 2) / 3) take(reader);
  };

  const waiter = new Waiter();
  let publishedBytes = 0;
  let owedBytes = 0;
  let heldMs = 0;
  let passedMs = 0;
  let longestHeldMs = 0;
  let turn = 0;
  for (; nowMs < scene.durationMs; nowMs += stepMs) {
    while (onTheWay.length > 0 && (onTheWay[0] as { dueMs: number }).dueMs <= nowMs) onTheWay.shift()?.apply();
    owedBytes = Math.min(owedBytes + scene.bytesPerMs * stepMs, scene.bytesPerMs * stepMs + runBytes);
    let waits = false;
    while (owedBytes >= runBytes && publishedBytes < scene.bytes && !waits) {
      const subject = subjects[turn % subjects.length] as string;
      const { holds } = publishers.router;
      waits = holds.active > 0 && holds.ask(publishers.topic(subject), waiter, true) === 'waits';
      if (waits) break;
      turn++;
      passedMs = nowMs;
      owedBytes -= runBytes;
      publishedBytes += runBytes;
      deliver(subject);
    }
    if (waits) {
      heldMs += stepMs;
      longestHeldMs = Math.max(longestHeldMs, nowMs - passedMs);
    }
    readers.forEach(read);
    backpressure.review(nowMs);
  }
  return {
    heldMs,
    longestHeldMs,
    publishedBytes,
    endedMs: readers.map(({ endedMs }) => endedMs),
    readBytes: readers.map(({ readBytes }) => readBytes),
  };
}
