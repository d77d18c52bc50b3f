import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ConfigSources, loadOptions } from '../../src/options/config.js';
import { environmentName, fileName, OPTION_NAMES, OPTIONS } from '../../src/options/optionTable.js';

const folder = mkdtempSync(join(tmpdir(), 'shardcast-test-'));
const configFile = join(folder, 'broker.yaml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const load = (sources: Partial<ConfigSources>) => loadOptions({ flags: {}, env: {}, configFile: null, ...sources });

const loadFile = (text: string) => {
  writeFileSync(configFile, text);
  return load({ configFile }).options;
};

describe('precedence', () => {
  it('is flag, environment, file, default', () => {
    writeFileSync(configFile, 'ping_max: 3\nmax_connections: 30\nshards: 3');
    const { options } = load({
      flags: { pingMax: ['5'] },
      env: { SHARDCAST_PING_MAX: '4', SHARDCAST_MAX_CONNECTIONS: '40' },
      configFile,
    });
    expect(options).toMatchObject({ pingMax: 5, maxConnections: 40, shards: 3, port: 4222 });
  });

  it('does not excuse a value that is not allowed', () => {
    expect(() => load({ flags: { pingMax: ['5'] }, env: { SHARDCAST_PING_MAX: 'x' } })).toThrow(
      'SHARDCAST_PING_MAX: "x" is not allowed; it must be a whole number from 1 to 1000',
    );
  });
});

describe('the environment', () => {
  it('counts an empty variable as one that is not set', () => {
    expect(load({ env: { SHARDCAST_USER: '', SHARDCAST_PORT: '' } }).options).toMatchObject({ user: null, port: 4222 });
  });

  it('separates topics by commas', () => {
    expect(load({ env: { SHARDCAST_TOPIC: 'a.*, b' } }).options.topics).toEqual(['a.*', 'b']);
  });

  it('takes switches as words', () => {
    expect(load({ env: { SHARDCAST_STRICT: 'yes', SHARDCAST_PIN: '0' } }).options).toMatchObject({
      strict: true,
      pin: false,
    });
  });

  it('warns of a near miss, but not of what Kubernetes sets for a service of our name', () => {
    const env = { SHARDCAST_PING_MAKS: '1', SHARDCAST_SERVICE_HOST: 'x', SHARDCAST_PORT_4222_TCP_PROTO: 'tcp' };
    expect(load({ env }).warnings).toEqual(['no option reads SHARDCAST_PING_MAKS; did you mean SHARDCAST_PING_MAX?']);
  });
});

describe('a file', () => {
  it("takes nats-server's names", () => {
    expect(
      loadFile(`
listen: "0.0.0.0:4333"
server_name: mine
max_payload: 2MB
max_control_line: 8192
max_pending: 32MB
max_connections: 100
max_subscriptions: 10
ping_interval: "30s"
ping_max: 3
write_deadline: 5
lame_duck_duration: 60s
lame_duck_grace_period: 5s
client_advertise: example.com:4222
authorization: { user: alice, password: 0123, timeout: 0.5 }
`),
    ).toMatchObject({
      host: '0.0.0.0',
      port: 4333,
      serverName: 'mine',
      maxPayloadBytes: 2 * 1024 * 1024,
      maxControlLineBytes: 8192,
      maxPendingBytes: 32 * 1024 * 1024,
      maxConnections: 100,
      maxSubscriptions: 10,
      pingIntervalMs: 30_000,
      pingMax: 3,
      writeDeadlineMs: 5000,
      lameDuckDurationMs: 60_000,
      lameDuckGraceMs: 5000,
      clientAdvertise: 'example.com:4222',
      user: 'alice',
      pass: '0123',
      authTimeoutMs: 500,
    });
  });

  it('takes every option under its own name', () => {
    for (const name of OPTION_NAMES) {
      // A value of the wrong form shows that the name was understood.
      const wrong = OPTIONS[name].secret ? '$2a$10$short' : '" "';
      const isPath = ['data', 'portsFile', 'logFile', 'pidFile'].includes(name);
      if (isPath || name === 'user') continue;
      expect(() => loadFile(`${fileName(name)}: ${wrong}`)).toThrow(`${configFile}:1: ${fileName(name)}: `);
    }
  });

  it('takes names in kebab and camel case, and those of the fields', () => {
    expect(loadFile('max-payload: 5\nmaxPending: 5KB\nmaxConnections: 6\nauthTimeoutMs: 7')).toMatchObject({
      maxPayloadBytes: 5,
      maxPendingBytes: 5120,
      maxConnections: 6,
      authTimeoutMs: 7000,
    });
  });

  it('may be JSON', () => {
    expect(loadFile('{\n\t"port": -1,\n\t"topics": ["a", "b.>"],\n\t"strict": true,\n\t"user": null\n}')).toMatchObject(
      {
        port: 0,
        topics: ['a', 'b.>'],
        strict: true,
        user: null,
      },
    );
  });

  it('may be empty, and may use anchors', () => {
    expect(loadFile('# nothing\n').port).toBe(4222);
    expect(loadFile('user: &name alice\npass: *name').pass).toBe('alice');
  });

  it.each([
    ['net: 127.0.0.2', { host: '127.0.0.2' }],
    ['addr: 127.0.0.2', { host: '127.0.0.2' }],
    ['listen: 4333', { port: 4333 }],
    ['listen: "[::1]:4333"', { host: '::1', port: 4333 }],
    ['max_conn: 5', { maxConnections: 5 }],
    ['MAX_SUBS: 5', { maxSubscriptions: 5 }],
    ['topic: a', { topics: ['a'] }],
  ])('%s', (text, options) => {
    expect(loadFile(text)).toMatchObject(options);
  });

  it.each([
    ['port: 1\nmax_paylod: 5', '2: max_paylod: there is no such option; did you mean max_payload?'],
    ['cluster: {}', '1: cluster: there is no such option'],
    ['\n\nport: 99999', '3: port: "99999" is not allowed; it must be a port'],
    ['port: [1, 2]', '1: port: one value is expected, not 2'],
    ['port: { a: 1 }', '1: port: a plain value is expected here'],
    ['port:', '1: port: a value is missing; it must be a port'],
    ['host: ::1\naddr: ::1', '2: addr: given already at'],
    ['listen: 4222\nport: 1', '2: port: given already at'],
    ['listen: somewhere', '1: listen: "somewhere" is not allowed; it must be host:port or a port'],
    ['port: 1\nport: 2', '2: Map keys must be unique'],
    ['authorization: secret', '1: authorization: it must hold user and password, or token'],
    ['authorization:\n  users: []', '2: authorization.users: there is no such option; did you mean user?'],
    ['authorization:\n  user: a', '2: authorization.user: a user needs a password'],
    ['constructor: 1', '1: constructor: there is no such option'],
    ['- port', '1: the file must hold names and values'],
    ['port: "1', '1: Missing closing "quote'],
    ['max_payload: 1GB', '1: max_payload: "1GB" is not allowed; it must be a size from 1 to 64MiB'],
  ])('%j is an error with its line', (text, message) => {
    expect(() => loadFile(text)).toThrow(`${configFile}:${message}`);
  });

  it('that cannot be read is named', () => {
    const missing = join(folder, 'missing.yaml');
    expect(() => load({ configFile: missing })).toThrow(`cannot read the config file ${missing} (ENOENT)`);
    expect(() => load({ configFile: folder })).toThrow(`cannot read the config file ${folder} (EISDIR)`);
  });
});

describe('the table', () => {
  it('gives every option a flag, a variable and a name in the file of its own', () => {
    const flags = OPTION_NAMES.map((name) => OPTIONS[name].flag);
    expect(new Set(flags).size).toBe(flags.length);
    expect(environmentName('maxPayloadBytes')).toBe('SHARDCAST_MAX_PAYLOAD');
    expect(fileName('maxPayloadBytes')).toBe('max_payload');
  });
});
