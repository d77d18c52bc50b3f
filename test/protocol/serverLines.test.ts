import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errorLine, noRespondersMessage, okLine, pingLine, pongLine } from '../../src/protocol/encoder.js';
import { errors } from '../../src/protocol/errors.js';
import { apiLevel, infoLine, natsVersion, type ServerInfo } from '../../src/protocol/info.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

test('the lines without arguments', () => {
  expect([pingLine, pongLine, okLine].map(text)).toEqual(['PING\r\n', 'PONG\r\n', '+OK\r\n']);
  expect(text(noRespondersMessage('a.b').bytes)).toBe('NATS/1.0 503\r\nNats-Subject: a.b\r\n\r\n\r\n');
});

test('an error is one line and one quoted text, whatever the text is', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab\'" \r\n\xff') }), (message) => {
      expect(text(errorLine(message))).toMatch(/^-ERR '[^'\r\n]*'\r\n$/);
    }),
  );
});

test.each(Object.entries(errors))('%s goes out as it is written', (_, { text: message }) => {
  expect(text(errorLine(message))).toBe(`-ERR '${message}'\r\n`);
});

test('INFO is one line of JSON', () => {
  const server: ServerInfo = {
    server_id: 'X',
    server_name: 'name\r\nwith a line end',
    version: natsVersion,
    shardcast: '1.2.3',
    proto: 1,
    go: 'node20.19.0',
    host: '127.0.0.1',
    port: 4222,
    headers: true,
    max_payload: 1024,
    api_lvl: apiLevel,
    jetstream: true,
    xkey: 'X',
  };
  const client = { client_id: 7, client_ip: '::1' };
  const line = infoLine(server, client);
  expect(line).toMatch(/^INFO \{[^\r\n]*\}\r\n$/);
  expect(JSON.parse(line.slice(5))).toEqual({ ...server, ...client });
});
