import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { type ConnectOptions, RawClient } from '../harness/rawClient.js';
import { Broker, type BrokerConfig } from '../harness/server.js';
import { isTooOld, tooOld } from './peerVersion.js';

// docs/PROTOCOL.md lists what differs: how nats-server was built, and what its numbers count.
const theirOwn = new Set(['feature_flags']);

interface Told {
  readonly server: Readonly<Record<string, unknown>>;
  readonly data: unknown;
}

const directory = mkdtempSync(join(tmpdir(), 'shardcast-peer-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function ask(port: number, connect: ConnectOptions): Promise<Told> {
  const asking = await RawClient.connect(port, connect);
  asking.send('SUB _INBOX.a 1\r\nPUB $SYS.REQ.USER.INFO _INBOX.a 0\r\n\r\n');
  const [answer] = await asking.messages(1);
  asking.close();
  return JSON.parse(answer!.payload.toString()) as Told;
}

/** What does not change from server to server: its fields, their types, and what it says of itself. */
function comparable({ server, data }: Told): unknown {
  const { name, host, ver, jetstream, domain } = server;
  const fields = Object.entries(server).filter(([field]) => !theirOwn.has(field));
  return { types: fields.map(([field, value]) => [field, typeof value]), name, host, ver, jetstream, domain, data };
}

const name = fc.option(fc.stringMatching(/^[ -~]{0,8}$/), { nil: undefined });
const claim = fc.record({ user: name, pass: name, auth_token: name, echo: fc.boolean(), pedantic: fc.boolean() });

describe.each([
  ['everybody may come', {}, claim],
  ['a user', { authorization: { user: 'ann', password: 'pw' } }, fc.constant({ user: 'ann', pass: 'pw' })],
  ['a token', { authorization: { token: 'secret' } }, fc.constant({ auth_token: 'secret' })],
])('$SYS.REQ.USER.INFO: %s', (_, authorization, claims) => {
  test('is answered as by nats-server', async ({ skip }) => {
    const jetstream = { store_dir: directory, domain: 'hub' };
    const config: BrokerConfig = { ...authorization, server_name: 'one' };
    const theirs = await Broker.start({ oracle: true, config: { ...config, jetstream } });
    const info = await (await RawClient.open(theirs.port)).info();
    if (isTooOld(info.version)) {
      await theirs.stop();
      skip(tooOld);
    }
    const ours = await Broker.start({ config, args: ['--domain', 'hub'] });
    const alike = fc.asyncProperty(claims, async (connect) => {
      const [their, our] = await Promise.all([ask(theirs.port, connect), ask(ours.port, connect)]);
      expect(comparable(our)).toEqual(comparable(their));
    });
    await fc.assert(alike, { numRuns: 40 });
    await Promise.all([theirs.stop(), ours.stop()]);
  });
});
