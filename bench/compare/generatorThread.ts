import { parentPort, workerData } from 'node:worker_threads';
import { IncidentLog } from './incidentLog.js';
import { openPublishers } from './publisherThread.js';
import { openSubscribers } from './subscriberThread.js';
import type { ThreadCommand, ThreadReport, ThreadTask } from './threadMessages.js';

const port = parentPort!;
const task = workerData as ThreadTask;
const incidents = new IncidentLog();
const report = (message: ThreadReport): void => port.postMessage(message);

function finish(publishedByMember: readonly number[], latencies: string | null): void {
  const { connectionsLost, errors } = incidents;
  report({ kind: 'finished', result: { publishedByMember, latencies, connectionsLost, errors } });
}

async function runPublishers(): Promise<void> {
  const publishers = await openPublishers(task, incidents);
  port.on('message', (command: ThreadCommand) => {
    if (command.kind === 'start') publishers.start(command.startNs);
    else void publishers.stop().then((published) => finish(published, null));
  });
}

async function runSubscribers(): Promise<void> {
  const subscribers = await openSubscribers(task, incidents);
  port.on('message', (command: ThreadCommand) => {
    if (command.kind === 'start') subscribers.setWindow(command.measureFromNs, command.measureToNs);
    else finish([], subscribers.finish());
  });
}

try {
  await (task.role === 'publisher' ? runPublishers() : runSubscribers());
  report({ kind: 'ready' });
} catch (error) {
  report({ kind: 'failed', reason: `${task.role}: ${error instanceof Error ? error.message : String(error)}` });
}
