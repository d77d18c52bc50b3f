import { nowNs } from './clock.js';
import { Connection } from './connection.js';
import { ControlLines } from './controlLines.js';
import { FullSpeedPublisher } from './fullSpeedPublisher.js';
import type { IncidentLog } from './incidentLog.js';
import { PacedPublisher } from './pacedPublisher.js';
import { planOf } from './plan.js';
import { codecs } from './protocol/codecs.js';
import { PublishRing } from './publishRing.js';
import { SharedCounters } from './sharedCounters.js';
import type { ThreadTask } from './threadMessages.js';

const blockBytes = 128 * 1_024;
/** At a fixed rate the ring holds what the socket has not taken yet, so it is longer. */
const pacedRingBytes = 4 * 1_024 * 1_024;
/**
 * Sleep between two rounds of paced sending. With the kernel's slack of about 50 µs, messages leave some 0.15 ms apart:
 * fine enough not to hide a broker's own latency behind a timer's millisecond, and it leaves most of a core to the broker,
 * which a busy loop would not on a small machine.
 */
const pacedSleepMs = 0.1;

/**
 * How long `stop` waits for a broker to take what was already handed to its sockets: longer than several of TCP's own timers, which
 * decide when a receive queue that the kernel cut is filled again.
 */
const settleMs = 15_000;

/** A thread's publishers, between opened and stopped. */
export interface PublisherThread {
  start(startNs: number): void;
  /** Stops publishing; returns messages accepted by each member's socket. */
  stop(): Promise<number[]>;
}

/** Connects the publishers of a task. */
export async function openPublishers(task: ThreadTask, incidents: IncidentLog): Promise<PublisherThread> {
  const { scenario, endpoint, members } = task;
  const codec = codecs[endpoint.protocol];
  const plan = planOf(scenario);
  const counters = new SharedCounters(task.counters);
  const readBuffer = new Uint8Array(64 * 1_024);
  const accepted = new Array<number>(members.length).fill(0);
  const fullSpeed: FullSpeedPublisher[] = [];
  const paced: { publisher: PacedPublisher; offsetNs: number }[] = [];

  for (const [index, member] of members.entries()) {
    const connection = await Connection.open({ ...endpoint, codec, subjects: [], readBuffer, onLost: incidents.lost });
    const control = new ControlLines(connection, codec, incidents.error);
    connection.handleChunks((chunk, length) => {
      for (let offset = 0; offset < length; ) offset = control.take(chunk, offset, length);
    });
    const onAccepted = (messages: number): void => {
      accepted[index]! += messages;
      counters.add(task.slot, messages);
    };
    const ring = new PublishRing({
      codec,
      cycle: plan.cycleOf(member),
      payloadBytes: scenario.payloadBytes,
      bytesMin: scenario.ratePerSecond ? pacedRingBytes / scenario.publishers : blockBytes,
    });
    if (scenario.ratePerSecond) {
      const intervalNs = (1e9 * scenario.publishers) / scenario.ratePerSecond;
      const publisher = new PacedPublisher(connection.socket, ring, intervalNs, onAccepted);
      // Publishers take turns within an interval instead of all sending at once.
      paced.push({ publisher, offsetNs: (intervalNs * member) / scenario.publishers });
    } else {
      fullSpeed.push(new FullSpeedPublisher(connection.socket, ring, blockBytes, onAccepted));
    }
  }

  let stopping = false;
  const sleepCell = new Int32Array(new SharedArrayBuffer(4));
  const sendDue = (): void => {
    if (stopping) return;
    const now = nowNs();
    for (const { publisher } of paced) publisher.sendDue(now);
    Atomics.wait(sleepCell, 0, 0, pacedSleepMs);
    setImmediate(sendDue);
  };

  return {
    start(startNs) {
      for (const publisher of fullSpeed) publisher.start();
      for (const { publisher, offsetNs } of paced) publisher.start(startNs + offsetNs);
      if (paced.length > 0) sendDue();
    },
    async stop() {
      stopping = true;
      const deadline = nowNs() + settleMs * 1e6;
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, settleMs));
      await Promise.race([Promise.all(fullSpeed.map((publisher) => publisher.stop())), timeout]);
      while (paced.some(({ publisher }) => !publisher.settled) && nowNs() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const unsettled = [...fullSpeed, ...paced.map(({ publisher }) => publisher)].filter(({ settled }) => !settled);
      if (unsettled.length > 0)
        incidents.error(
          `${unsettled.length} publishers' last blocks were not taken in ${settleMs / 1000} s: not counted`,
        );
      return accepted;
    },
  };
}
