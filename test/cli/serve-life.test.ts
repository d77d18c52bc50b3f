import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { BrokerServer as Broker } from '../../src/broker/broker.js';
import { loadOptions } from '../../src/broker/config.js';
import { type BrokerOptions, diffOptions } from '../../src/broker/options.js';
import { ServeLife } from '../../src/cli/serve-life.js';
import { temporaryFolder } from './harness.js';

/** A life whose broker does what the test says. */
function startLife(behaviour: Partial<Broker>, config = '') {
  const configFile = join(temporaryFolder(), 'broker.yaml');
  writeFileSync(configFile, config);
  const sources = { flags: {}, env: {}, configFile };
  const { options } = loadOptions(sources);
  const reloads: BrokerOptions[] = [];
  const broker: Broker = {
    ports: { pid: process.pid, nats: [], http: [], websocket: [], jsonl: [] },
    stop: async () => {},
    lameDuck: async () => {},
    failed: new Promise(() => {}),
    reload: (next) => {
      reloads.push(next);
      const { changed, refused } = diffOptions(options, next);
      return { changed: [...changed], refused: [...refused] };
    },
    ...behaviour,
  };
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { life: new ServeLife(broker, options, sources, log), configFile, reloads, lines };
}

describe('the exit code', () => {
  it('is 0 after a stop', async () => {
    const { life } = startLife({});
    life.onSignal('SIGTERM');
    expect(await life.ended).toBe(0);
  });

  it('is 1, with a fatal line, when a worker failed', async () => {
    const { life, lines } = startLife({ failed: Promise.resolve(new Error('worker 3 threw')) });
    expect(await life.ended).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: 60, msg: 'the broker failed', err: { message: 'worker 3 threw' } });
  });

  it('is 1, with a fatal line, when the stop failed', async () => {
    const { life, lines } = startLife({ stop: () => Promise.reject(new Error('no drain')) });
    life.onSignal('SIGINT');
    expect(await life.ended).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: 60, err: { message: 'no drain' } });
  });
});

it('a stop ends a lame duck before its time', async () => {
  const { life } = startLife({ lameDuck: () => new Promise(() => {}) });
  life.onSignal('SIGUSR2');
  life.onSignal('SIGTERM');
  expect(await life.ended).toBe(0);
});

describe('SIGHUP', () => {
  it('gives the broker what the file says now', () => {
    const { life, configFile, reloads } = startLife({}, 'ping_max: 3\n');
    writeFileSync(configFile, 'ping_max: 4\n');
    life.onSignal('SIGHUP');
    expect(reloads).toMatchObject([{ pingMax: 4 }]);
  });

  it('does nothing once the broker is ending', () => {
    const { life, reloads } = startLife({ lameDuck: () => new Promise(() => {}) });
    life.onSignal('SIGUSR2');
    life.onSignal('SIGHUP');
    expect(reloads).toEqual([]);
  });

  it('does not take the password from a broker whose socket stays open to the network', () => {
    const { life, configFile, reloads, lines } = startLife({}, 'host: 0.0.0.0\nuser: a\npass: b\n');
    writeFileSync(configFile, 'host: 127.0.0.1\n');
    life.onSignal('SIGHUP');
    expect(reloads).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ level: 50, msg: expect.stringContaining('without credentials') });
  });

  it('takes a new log level at once', () => {
    const { life, configFile, lines } = startLife({});
    writeFileSync(configFile, 'log_level: warn\n');
    life.onSignal('SIGHUP');
    expect(lines.filter(({ level }) => level < 40)).toEqual([]);
  });
});
