import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { BrokerOptions } from '../../src/options/brokerOptions.js';
import { resolveOptions } from '../../src/options/options.js';
import { OptionsError } from '../../src/options/optionsError.js';
import { OPTION_NAMES } from '../../src/options/optionTable.js';
import { textWords } from '../../src/options/optionWords.js';

const BCRYPT = `$2b$10$${'a'.repeat(53)}`;

describe('the defaults', () => {
  it("are nats-server's where it has the option", () => {
    expect(resolveOptions()).toMatchObject({
      port: 4222,
      maxControlLineBytes: 4096,
      maxPayloadBytes: 1024 * 1024,
      maxPendingBytes: 64 * 1024 * 1024,
      maxConnections: 65_536,
      maxSubscriptions: 0,
      authTimeoutMs: 2000,
      pingIntervalMs: 120_000,
      pingMax: 2,
      writeDeadlineMs: 10_000,
      lameDuckDurationMs: 120_000,
      lameDuckGraceMs: 10_000,
    });
  });

  it('are safe: loopback, no credentials needed', () => {
    expect(resolveOptions()).toMatchObject({ host: '127.0.0.1', user: null, pass: null, token: null, noAuth: false });
  });

  it('leave a core to the main thread', () => {
    expect(resolveOptions().shards).toBe(Math.max(1, availableParallelism() - 1));
  });

  it('fill every field, also where undefined is given', () => {
    const options = resolveOptions({ host: undefined });
    expect(Object.keys(options)).toEqual(OPTION_NAMES);
    expect(Object.values(options)).not.toContain(undefined);
  });
});

describe('a resolved option', () => {
  it('is in its normal form', () => {
    expect(resolveOptions({ port: -1 }).port).toBe(0);
    expect(resolveOptions({ data: 'some-folder' }).data).toBe(join(process.cwd(), 'some-folder'));
  });

  it('cannot be changed', () => {
    expect(() => Object.assign(resolveOptions(), { port: 1 })).toThrow(TypeError);
  });

  it('resolves to itself', () => {
    const options = resolveOptions({ user: 'a', pass: BCRYPT, topics: ['a.*', 'b.>'], strict: true });
    expect(resolveOptions(options)).toEqual(options);
  });
});

describe('a value that is not allowed is refused', () => {
  it.each<[keyof BrokerOptions, unknown]>([
    ['host', ''],
    ['host', 'a b'],
    ['host', '127.0.0.1:4222'],
    ['port', 65_536],
    ['port', -2],
    ['port', 1.5],
    ['port', Number.NaN],
    ['port', '4222'],
    ['clientAdvertise', 'nats://host'],
    ['serverName', 'with space'],
    ['shards', 0],
    ['shards', 257],
    ['order', 'none'],
    ['pin', 'yes'],
    ['topics', 'a'],
    ['topics', ['a..b']],
    ['topics', ['>.a']],
    ['user', ''],
    ['pass', '$2b$10$short'],
    ['token', 'line\nbreak'],
    ['maxControlLineBytes', 127],
    ['maxPayloadBytes', 0],
    ['maxPayloadBytes', 64 * 1024 * 1024 + 1],
    ['maxPendingBytes', -1],
    ['maxConnections', 0],
    ['maxConnections', Number.POSITIVE_INFINITY],
    ['maxSubscriptions', -1],
    ['laneBytes', 3000],
    ['laneBytes', 512],
    ['authTimeoutMs', 0],
    ['pingIntervalMs', 2 ** 40],
    ['pingMax', 0],
    ['logLevel', 'loud'],
  ])('%s: %j', (name, value) => {
    const resolve = () => resolveOptions({ [name]: value } as Partial<BrokerOptions>);
    expect(resolve).toThrow(OptionsError);
    expect(resolve).toThrow(new RegExp(`^${name}: .* is not allowed; it must be `));
  });

  it('with the place it came from', () => {
    expect(() => resolveOptions({ port: 70_000 }, textWords({ port: 'broker.yaml:3: port' }))).toThrow(
      'broker.yaml:3: port: 70000 is not allowed; it must be a port from 1 to 65535, or 0 or -1 for any free one',
    );
  });

  it('and a secret is not shown', () => {
    expect(() => resolveOptions({ user: 'a', pass: '$2b$10$short' })).toThrow('pass: this value is not allowed');
  });
});

it('an option that does not exist is refused, with the one that was meant', () => {
  expect(() => resolveOptions({ maxPayload: 1 } as never)).toThrow(
    'there is no option "maxPayload"; did you mean "maxPayloadBytes"?',
  );
  expect(() => resolveOptions({ __proto__: null, toString: 1 } as never)).toThrow('there is no option "toString"');
});

describe('credentials', () => {
  it.each<[Partial<BrokerOptions>, string]>([
    [{ user: 'a' }, 'user: a user needs a password (pass) too'],
    [{ pass: 'a' }, 'pass: a password needs a user too'],
    [{ user: 'a', pass: 'b', token: 'c' }, 'token: cannot have a user and password and a token'],
    [{ token: 'c', noAuth: true }, 'noAuth: cannot be combined with credentials (token)'],
  ])('%j', (given, message) => {
    expect(() => resolveOptions(given)).toThrow(message);
  });

  it('may be bcrypt hashes', () => {
    expect(resolveOptions({ user: 'a', pass: BCRYPT }).pass).toBe(BCRYPT);
    expect(resolveOptions({ token: BCRYPT }).token).toBe(BCRYPT);
  });
});

describe('a host beyond loopback', () => {
  it.each(['0.0.0.0', '::', '192.168.1.1', 'example.com', '127.0.0.1.example.com', '::ffff:10.0.0.1'])(
    '%s needs credentials or noAuth',
    (host) => {
      expect(() => resolveOptions({ host })).toThrow(`host: ${host} is open to the network without credentials`);
      expect(resolveOptions({ host, noAuth: true }).host).toBe(host);
      expect(resolveOptions({ host, token: 't' }).host).toBe(host);
    },
  );

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1'])('%s is loopback', (host) => {
    expect(resolveOptions({ host }).host).toBe(host);
  });
});

describe('limits that contradict each other are refused', () => {
  it.each<[Partial<BrokerOptions>, string]>([
    [{ maxPendingBytes: 1024 }, '--max-payload (1MiB) must not exceed --max-pending (1KiB)'],
    [{ memoryMaxBytes: 32 * 1024 * 1024 }, '--max-pending (64MiB) must not exceed --memory-max (32MiB)'],
    [{ lameDuckDurationMs: 10_000 }, '--lame-duck-grace-period (10s) must be shorter than --lame-duck-duration (10s)'],
  ])('%j', (given, message) => {
    expect(() => resolveOptions(given, textWords({}))).toThrow(message);
  });

  it.each<[Partial<BrokerOptions>, string]>([
    [{ maxPendingBytes: 1024 }, 'maxPayloadBytes (1048576) must not exceed maxPendingBytes (1024)'],
    [{ lameDuckDurationMs: 10_000 }, 'lameDuckGraceMs (10000) must be shorter than lameDuckDurationMs (10000)'],
    [{ host: '0.0.0.0' }, 'allow it with noAuth: true'],
    [
      { maxPayloadBytes: '4MB' as never },
      'maxPayloadBytes: "4MB" is not allowed; it must be a whole number of bytes from 1',
    ],
    [{ authTimeoutMs: 0.5 }, 'authTimeoutMs: 0.5 is not allowed; it must be a whole number of milliseconds from '],
    [{ order: 'none' as never }, "it must be one of 'topic', 'publisher'"],
    [{ topics: 'a' as never }, 'topics: "a" is not allowed; it must be an array, of which each is '],
    [{ topics: [1] as never }, 'topics: [ 1 ] is not allowed'],
    [{ jsonlPort: 'x' as never }, 'for any free one, or null for none'],
  ])('in the words of a program: %j', (given, message) => {
    expect(() => resolveOptions(given)).toThrow(message);
    expect(() => resolveOptions(given)).not.toThrow(/--|MiB|KiB/);
  });
});

describe('paths', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shardcast-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'there'));
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));

  it('of data is a directory, or can become one', () => {
    expect(resolveOptions({ data: join(folder, 'there') }).data).toBe(join(folder, 'there'));
    expect(resolveOptions({ data: join(folder, 'new') }).data).toBe(join(folder, 'new'));
  });

  it.each([
    ['file', 'is not a directory'],
    ['dangling', 'is a link that leads nowhere'],
    ['not/there', `cannot be made: ${join(folder, 'not')} is not there`],
    ['file/below', `cannot be made: ${join(folder, 'file')} is not a directory`],
  ])('of data is not %s', (path, message) => {
    expect(() => resolveOptions({ data: join(folder, path) })).toThrow(message);
  });

  it('of the ports file is in a directory', () => {
    expect(() => resolveOptions({ portsFile: join(folder, 'not/there') })).toThrow('portsFile: ');
  });
});
