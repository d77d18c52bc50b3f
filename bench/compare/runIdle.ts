import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from './broker.js';
import { nowNs } from './clock.js';
import { Connection } from './connection.js';
import { ControlLines } from './controlLines.js';
import { IncidentLog } from './incidentLog.js';
import { cpuMicroseconds, openDescriptors, peakMemoryBytes, residentBytes } from './processStats.js';
import { codecs } from './protocol/codecs.js';
import type { IdleScenario } from './scenario.js';

/** What connections that do nothing cost. */
export interface IdleResult {
  readonly kind: 'idle';
  readonly connections: number;
  readonly openedPerSecond: number;
  readonly bytesPerConnection: number;
  readonly brokerCoresWhileIdle: number;
  readonly residentBytesBefore: number;
  readonly residentBytesOpen: number;
  readonly residentBytesAfterClose: number;
  readonly peakMemoryBytes: number;
  /** File descriptors open some time after the last connection closed, beyond those open before the first. */
  readonly descriptorsLeft: number;
  readonly connectionsLost: number;
  readonly errors: readonly string[];
}

/** Handshakes under way at once. */
const opening = 100;
const settleMs = 500;
const closeMs = 10_000;
/** After the last connection is gone, a garbage-collected broker gets this long to give memory back. */
const calmMs = 3_000;

async function openAll(scenario: IdleScenario, broker: Broker, incidents: IncidentLog): Promise<Connection[]> {
  const codec = codecs[broker.endpoint.protocol];
  const readBuffer = new Uint8Array(64 * 1_024);
  const connections: Connection[] = [];
  let next = 0;
  const openOneByOne = async (): Promise<void> => {
    while (next < scenario.connections) {
      const first = next++ * scenario.subscriptionsEach;
      const subjects = Array.from({ length: scenario.subscriptionsEach }, (_, index) => codec.subject(first + index));
      const connection = await Connection.open({
        ...broker.endpoint,
        codec,
        subjects,
        readBuffer,
        onLost: incidents.lost,
      });
      const control = new ControlLines(connection, codec, incidents.error);
      connection.handleChunks((chunk, length) => {
        for (let offset = 0; offset < length; ) offset = control.take(chunk, offset, length);
      });
      connections.push(connection);
    }
  };
  await Promise.all(Array.from({ length: opening }, openOneByOne));
  return connections;
}

/** Opens the connections, holds them, closes them, and looks at the broker's memory and descriptors at each step. */
export async function runIdle(scenario: IdleScenario, broker: Broker): Promise<IdleResult> {
  const { pid } = broker;
  const incidents = new IncidentLog();
  await sleep(settleMs);
  const descriptorsBefore = openDescriptors(pid);
  const residentBytesBefore = residentBytes(pid);

  const openFromNs = nowNs();
  const connections = await openAll(scenario, broker, incidents);
  const openSeconds = (nowNs() - openFromNs) / 1e9;
  await sleep(settleMs);
  const residentBytesOpen = residentBytes(pid);

  const cpuBefore = cpuMicroseconds(pid);
  await sleep(scenario.holdSeconds * 1e3);
  const idleUs = cpuMicroseconds(pid) - cpuBefore;
  const connectionsLost = incidents.connectionsLost;

  for (const connection of connections) connection.close();
  const deadline = Date.now() + closeMs;
  while (openDescriptors(pid) > descriptorsBefore && Date.now() < deadline) await sleep(20);
  await sleep(calmMs);
  return {
    kind: 'idle',
    connections: connections.length,
    openedPerSecond: connections.length / openSeconds,
    bytesPerConnection: (residentBytesOpen - residentBytesBefore) / connections.length,
    brokerCoresWhileIdle: idleUs / (scenario.holdSeconds * 1e6),
    residentBytesBefore,
    residentBytesOpen,
    residentBytesAfterClose: residentBytes(pid),
    peakMemoryBytes: peakMemoryBytes(pid),
    descriptorsLeft: openDescriptors(pid) - descriptorsBefore,
    connectionsLost,
    errors: incidents.errors,
  };
}
