import { describe, expect, it } from 'vitest';
import { parseServers } from '../../src/cli/serverUrl.js';

describe('a server address', () => {
  it.each([
    ['127.0.0.1', { servers: ['127.0.0.1:4222'], isTls: false }],
    ['host:1', { servers: ['host:1'], isTls: false }],
    ['nats://[::1]:1', { servers: ['[::1]:1'], isTls: false }],
    ['tls://host', { servers: ['host:4222'], isTls: true }],
    ['a:1, nats://b:2', { servers: ['a:1', 'b:2'], isTls: false }],
    ['nats://u:p%40ss@host', { servers: ['host:4222'], isTls: false, user: 'u', pass: 'p@ss' }],
    ['nats://t0ken@host', { servers: ['host:4222'], isTls: false, token: 't0ken' }],
  ])('%s', (written, address) => {
    expect(parseServers(written)).toEqual(address);
  });

  it.each(['', 'ws://host', 'nats://', 'nats://a b', 'nats://user:secret@host:port'])('not %j', (written) => {
    expect(() => parseServers(written)).toThrow(/^--server: (?!.*secret)/);
  });
});
