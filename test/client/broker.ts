import { type Broker, type ConnectedBroker, connectBroker, type StartOptions, startBroker } from 'shardcast';
import { afterEach, beforeEach } from 'vitest';
import type { BrokerOptions } from '../../src/options/brokerOptions.js';
import { closeAfterTest, useResident } from '../harness/residents.js';

const running = new Set<Broker>();

/** A broker inside the test's process, on any free port unless it listens on none; stopped after the test. */
export async function inProcess(options: StartOptions = {}): Promise<Broker> {
  const broker = await startBroker({ port: 0, logLevel: 'silent', ...options });
  running.add(broker);
  return broker;
}

export function portOf(broker: Broker): number {
  return Number(new URL(broker.ports.nats[0]!).port);
}

afterEach(async () => {
  await Promise.all([...running].map((broker) => broker.stop()));
  running.clear();
});

/** What one test has of a broker that many share. */
export interface OwnEnd {
  /** An end of its own, as `connectBroker` gives it: what it has subscribed to ends with the test. */
  readonly broker: ConnectedBroker;
  /** The whole broker, which others use as well. */
  readonly whole: Broker;
  /** Where NATS's clients connect. */
  readonly port: number;
  /** The name as it is in this test alone: what the broker remembers of others' topics is not found there. */
  named(name: string): string;
}

/** One broker in this process for all tests of the enclosing describe, each with an end of its own. */
export function useOwnEnd(options: Partial<BrokerOptions> = {}): OwnEnd {
  const resident = useResident(options);
  let broker: ConnectedBroker;
  let tests = 0;
  beforeEach(async () => {
    tests++;
    broker = await connectBroker(resident.broker.port());
    closeAfterTest(() => broker.close());
  });
  return {
    get broker() {
      return broker;
    },
    get whole() {
      return resident.broker;
    },
    get port() {
      return resident.port;
    },
    named: (name) => `${name}.${tests}`,
  };
}
