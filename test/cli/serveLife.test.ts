import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { BrokerServer as Broker } from '../../src/broker/server.js';
import { ServeLife } from '../../src/cli/serveLife.js';
import { FailedError } from '../../src/client/errors.js';
import { loadOptions } from '../../src/options/config.js';
import { reloadOptions, type SomeOptions } from '../../src/options/options.js';
import { temporaryFolder } from './harness.js';

/** A life whose broker does what the test says. */
function startLife(behaviour: Partial<Broker>, config = '') {
  const configFile = join(temporaryFolder(), 'broker.yaml');
  writeFileSync(configFile, config);
  const sources = { flags: {}, env: {}, configFile };
  const { options } = loadOptions(sources);
  const reloads: SomeOptions[] = [];
  const broker: Broker = {
    ports: { pid: process.pid, nats: [], monitoring: [], websocket: [], jsonl: [] },
    stop: async () => {},
    lameDuck: async () => {},
    failed: new Promise(() => {}),
    reload: (next) => {
      reloads.push(next);
      return reloadOptions(options, next);
    },
    ...behaviour,
  };
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { life: new ServeLife(broker, sources, log), configFile, reloads, lines };
}

describe('the exit code', () => {
  it('is 0 after a stop', async () => {
    const { life } = startLife({});
    life.onSignal('SIGTERM', 0);
    expect(await life.ended).toBe(0);
  });

  it('is 1, with a fatal line, when a worker failed', async () => {
    const { life, lines } = startLife({ failed: Promise.resolve(new FailedError(new Error('worker 3 threw'))) });
    expect(await life.ended).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: 60, msg: 'the broker failed', err: { message: 'worker 3 threw' } });
  });

  it('is 1, with a fatal line, when the stop failed', async () => {
    const { life, lines } = startLife({ stop: () => Promise.reject(new Error('no drain')) });
    life.onSignal('SIGINT', 0);
    expect(await life.ended).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: 60, err: { message: 'no drain' } });
  });
});

describe('a lame duck', () => {
  it.each(['SIGINT', 'SIGQUIT'] as const)('is ended before its time by %s', async (signal) => {
    const { life } = startLife({ lameDuck: () => new Promise(() => {}) });
    life.onSignal('SIGUSR2', 0);
    life.onSignal(signal, 1);
    expect(await life.ended).toBe(0);
  });

  it('runs its course whatever number of SIGTERM and SIGUSR2 come', async () => {
    let end!: () => void;
    let ducks = 0;
    const lameDuck = () => {
      ducks++;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    };
    const { life } = startLife({ lameDuck, stop: () => Promise.reject(new Error('stopped')) });
    life.onSignal('SIGUSR2', 0);
    for (const [i, signal] of (['SIGTERM', 'SIGUSR2', 'SIGTERM'] as const).entries()) life.onSignal(signal, i * 2_000);
    end();
    expect(await life.ended).toBe(0);
    expect(ducks).toBe(1);
  });

  it('does not begin once the broker stops', async () => {
    const { life } = startLife({ lameDuck: () => Promise.reject(new Error('duck')) });
    life.onSignal('SIGTERM', 0);
    life.onSignal('SIGUSR2', 1);
    expect(await life.ended).toBe(0);
  });
});

describe('a stop signal that comes again', () => {
  const endless = () => startLife({ stop: () => new Promise(() => {}) }).life;

  it.each(['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)('is one with the first within a second (%s)', async (signal) => {
    const life = endless();
    life.onSignal('SIGINT', 500);
    life.onSignal(signal, 1_499);
    expect(await Promise.race([life.ended, Promise.resolve('draining')])).toBe('draining');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGQUIT', 131],
  ] as const)('ends it at once later (%s)', async (signal, code) => {
    const life = endless();
    life.onSignal('SIGINT', 500);
    life.onSignal(signal, 1_500);
    expect(await life.ended).toBe(code);
  });
});

it('SIGUSR1 is taken and changes nothing', () => {
  const { life, lines } = startLife({});
  life.onSignal('SIGUSR1', 0);
  expect(lines).toMatchObject([{ level: 30, msg: 'there is no log file to reopen' }]);
});

describe('SIGHUP', () => {
  it('gives the broker what the file says now', () => {
    const { life, configFile, reloads } = startLife({}, 'ping_max: 3\n');
    writeFileSync(configFile, 'ping_max: 4\n');
    life.onSignal('SIGHUP', 0);
    expect(reloads).toMatchObject([{ pingMax: 4 }]);
  });

  it('does nothing once the broker stops', () => {
    const { life, reloads, lines } = startLife({ stop: () => new Promise(() => {}) });
    life.onSignal('SIGTERM', 0);
    life.onSignal('SIGHUP', 1);
    expect(reloads).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ msg: 'not reloaded: the broker is stopping' });
  });

  it('is obeyed in lame duck mode, which may last for minutes', () => {
    const { life, configFile, reloads } = startLife({ lameDuck: () => new Promise(() => {}) });
    life.onSignal('SIGUSR2', 0);
    writeFileSync(configFile, 'ping_max: 4\n');
    life.onSignal('SIGHUP', 1);
    expect(reloads).toMatchObject([{ pingMax: 4 }]);
  });

  it('does not take the password from a broker whose socket stays open to the network', () => {
    const { life, configFile, lines } = startLife({}, 'host: 0.0.0.0\nuser: a\npass: b\n');
    writeFileSync(configFile, 'host: 127.0.0.1\n');
    life.onSignal('SIGHUP', 0);
    expect(lines).toMatchObject([{ level: 50, msg: expect.stringContaining('without credentials') }]);
  });
});
