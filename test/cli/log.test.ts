import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Broker, codecs, startBroker } from 'shardcast';
import { expect, it } from 'vitest';
import { checkRepairTarget, readConsumers } from '../../src/broker/dataInspection.js';
import { runCli, temporaryFolder } from './harness.js';

// Invariant 47 of docs/INVARIANTS.md.

/** A broker of this process, for as long as somebody works with it. */
async function withBroker(data: string, shards: number, work: (broker: Broker) => Promise<void>): Promise<void> {
  const broker = await startBroker({ listen: false, shards, data, logLevel: 'silent' });
  try {
    await work(broker);
  } finally {
    await broker.stop();
  }
}

/** A data directory with two streams, as a stop leaves it. */
async function stored(): Promise<string> {
  const data = join(temporaryFolder(), 'data');
  await withBroker(data, 1, async (broker) => {
    const orders = broker.stream('ORDERS', { codec: codecs.utf8 });
    await orders.create({ subjects: ['orders.>'] });
    for (let i = 0; i < 3; i++) await orders.publish('orders.new', 'one', { headers: { trace: '42' } });
    const bills = broker.stream('BILLS', { codec: codecs.utf8 });
    await bills.create({ subjects: ['bills'] });
    await bills.publish('bills', 'two');
    const read = broker.topic('bills', { codec: codecs.utf8 }).subscribe({ durable: 'READER', replay: 'all' });
    for await (const message of read) {
      expect(message.value).toBe('two');
      break;
    }
    expect(await runCli(['log', 'verify', data])).toEqual(failed(2, `${data} is used by a broker: stop it first`));
  });
  return data;
}

const failed = (code: number, stderr: string) => ({ code, stdout: '', stderr: `shardcast: ${stderr}\n` });
const linesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

it('a data directory is verified, dumped, and repaired when it is damaged', async () => {
  const data = await stored();
  const log = (...args: string[]) => runCli(['log', ...args]);
  const whole = await log('verify', data);
  expect(whole).toMatchObject({ code: 0, stderr: '' });
  expect(whole.stdout).toMatch(
    /^2 streams with 4 messages and 1 consumer in 1 journal, .* checked: all of it is whole\n$/,
  );

  const [all, some] = await Promise.all([
    log('dump', data, '--json'),
    log('dump', data, '--stream', 'ORDERS', '--from', '2', '--limit', '1', '--payload'),
  ]);
  expect(
    linesOf(all.stdout)
      .map(({ stream, sequence, payloadBytes }) => [stream, sequence, payloadBytes])
      .sort(),
  ).toEqual([
    ['BILLS', 1, 3],
    ['ORDERS', 1, 3],
    ['ORDERS', 2, 3],
    ['ORDERS', 3, 3],
  ]);
  expect(some.stdout).toMatch(/^ORDERS #2 20\S+Z orders\.new 23\+3 B\none\n {2}trace: 42\n$/);

  const consumers = await log('dump', data, '--consumers', '--json');
  const kept = { stream: 'BILLS', name: 'READER', next: 2, deliveries: 1 };
  expect(linesOf(consumers.stdout)).toMatchObject([{ ...kept, config: { ack_policy: 'explicit' } }]);
  const shown = await log('dump', data, '--consumers', '--stream', 'BILLS');
  expect(shown.stdout).toMatch(/^BILLS\/READER 1 delivered, acknowledged up to #[01], next #2, [01] in flight\n$/);

  const file = join(data, 'journal-1', '0', '0000000000.jnl');
  const bytes = readFileSync(file);
  bytes[bytes.indexOf('orders.new')]! ^= 1;
  writeFileSync(file, bytes);
  const damaged = await log('verify', data, '--json');
  expect(damaged.code).toBe(1);
  const [finding, ...rest] = linesOf(damaged.stdout);
  expect(finding).toMatchObject({ type: 'damage', file, lost: [{ stream: 'ORDERS', first: 1 }] });
  expect(rest.at(-1)).toMatchObject({ type: 'sum', streams: 2, damages: 1 });

  const inside = join(data, 'inside');
  expect(() => checkRepairTarget(data, inside)).toThrow(`${inside} lies in what is repaired, which stays as it is`);
  const fresh = join(data, '..', 'fresh');
  const repaired = await log('repair', data, '--to', fresh);
  expect(repaired).toMatchObject({ code: 1, stderr: '' });
  expect(repaired.stdout).toMatch(
    /^damaged: \S+ at \d+, [\d,]+ bytes: .*\n {2}ORDERS: .* lost\n2 streams with \d messages? copied to /,
  );

  await withBroker(fresh, 2, async (broker) => {
    expect((await broker.stream('BILLS', { codec: codecs.utf8 }).get(1))?.value).toBe('two');
  });
});

it('what is kept of a consumer and cannot be read is damage', () => {
  const findings: object[] = [];
  const streams = [{ number: 1, name: 'S' }];
  const readNotes = (visit: (storage: object, key: number, kind: string, bytes: Uint8Array) => void) => {
    for (const kind of ['whole', 'change']) visit({ number: 1 }, 7, kind, new Uint8Array(64));
  };
  const inspection = { findings, streams, place: { journals: '/data/journal-1' }, readNotes };
  expect(readConsumers(inspection as never)).toEqual([]);
  expect(findings).toMatchObject([
    {
      file: '/data/journal-1',
      text: expect.stringMatching(/^what is kept of a consumer of S cannot be read: .* version 0/),
    },
  ]);
});
