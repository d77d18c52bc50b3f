import { Connection } from './connection.js';
import { ControlLines } from './controlLines.js';
import { DeliveryReader } from './deliveryReader.js';
import type { IncidentLog } from './incidentLog.js';
import { LatencyRecorder } from './latencyRecorder.js';
import { planOf } from './plan.js';
import { codecs } from './protocol/codecs.js';
import { SharedCounters } from './sharedCounters.js';
import type { ThreadTask } from './threadMessages.js';

const readBufferBytes = 256 * 1_024;
/** Above this many deliveries a second only a sample of the latencies is recorded. */
const recordedPerSecondMax = 250_000;

/** Every how many deliveries one is recorded: 1, or an odd number, out of step with a publisher's even batches. */
function strideFor(deliveriesPerSecond: number): number {
  const stride = Math.ceil(deliveriesPerSecond / recordedPerSecondMax);
  return stride <= 1 ? 1 : stride | 1;
}

/** A thread's subscribers. */
export interface SubscriberThread {
  setWindow(fromNs: number, toNs: number): void;
  /** The latencies seen, encoded, or null at full speed. */
  finish(): string | null;
}

/** Connects the subscribers of a task, all sharing one read buffer and one histogram. */
export async function openSubscribers(task: ThreadTask, incidents: IncidentLog): Promise<SubscriberThread> {
  const { scenario, endpoint } = task;
  const codec = codecs[endpoint.protocol];
  const plan = planOf(scenario);
  const counters = new SharedCounters(task.counters);
  const readBuffer = new Uint8Array(readBufferBytes);
  const subjectBytes = codec.subject(0).length;
  let latencies: LatencyRecorder | null = null;

  for (const member of task.members) {
    const topics = plan.subscriptionsOf(member);
    const subjects = topics === 'all-by-wildcard' ? [codec.wildcard] : topics.map((topic) => codec.subject(topic));
    const layout = codec.delivery(subjects, subjectBytes, scenario.payloadBytes);
    if (scenario.ratePerSecond) {
      const stride = strideFor(scenario.ratePerSecond * scenario.subscribers);
      latencies ??= new LatencyRecorder(layout.messageBytes, layout.payloadOffset, stride);
    }
    const connection = await Connection.open({ ...endpoint, codec, subjects, readBuffer, onLost: incidents.lost });
    const reader = new DeliveryReader(layout, new ControlLines(connection, codec, incidents.error), latencies);
    connection.handleChunks((chunk, length) => {
      const completed = reader.read(chunk, length);
      if (completed > 0) counters.add(task.slot, completed);
    });
  }

  return {
    setWindow: (fromNs, toNs) => latencies?.setWindow(fromNs, toNs),
    finish: () => latencies?.encoded() ?? null,
  };
}
