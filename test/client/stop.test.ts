import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ClosedError, codecs, connectBroker } from 'shardcast';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { client, collect } from '../harness/officialClient.js';
import { expectNothingUncaught } from '../harness/uncaught.js';
import { inProcess, portOf } from './broker.js';

// Invariant 15 of docs/INVARIANTS.md.

expectNothingUncaught();

const warnings: string[] = [];
const onWarning = (warning: Error): void => void (warning.name === 'BrokerWarning' && warnings.push(warning.message));

beforeEach(() => {
  warnings.length = 0;
  process.on('warning', onWarning);
});

afterEach(() => {
  process.off('warning', onWarning);
});

const text = { codec: codecs.utf8 };

/** Something that a handler waits for until the test lets it go on. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe.each([1, 2, 4])('a stop at %i shards', (shards) => {
  test('waits for what answers a request, and the answer is sent', async () => {
    const broker = await inProcess({ shards });
    const nats = await client(portOf(broker));
    const [begun, work] = [gate(), gate()];
    broker.reply(
      'service',
      async ({ value }) => {
        begun.open();
        await work.opened;
        return `done ${value}`;
      },
      text,
    );
    const inProcessAnswer = broker.request('service', 'a', text);
    const natsAnswer = nats.request('service', 'b');
    await begun.opened;
    await nats.flush();
    const stopped = broker.stop();
    work.open();
    expect((await inProcessAnswer).value).toBe('done a');
    expect((await natsAnswer).string()).toBe('done b');
    await stopped;
  });

  test('waits for a chain of handlers and loops of any length, and what comes out of it is delivered', async () => {
    const broker = await inProcess({ shards });
    const nats = await client(portOf(broker));
    const { texts } = collect(nats, 'step.9');
    await nats.flush();
    const first = gate();
    for (let step = 0; step < 9; step += 2) {
      const next = broker.topic(`step.${step + 1}`, text);
      broker.topic(`step.${step}`, text).subscribe(async ({ value }) => {
        if (step === 0) await first.opened;
        await new Promise(setImmediate);
        await next.publish(`${value}${step}`);
      });
    }
    for (let step = 1; step < 9; step += 2) {
      const [stream, next] = [broker.topic(`step.${step}`, text).subscribe(), broker.topic(`step.${step + 1}`, text)];
      void (async () => {
        for await (const { value } of stream) {
          await new Promise(setImmediate);
          await next.publish(`${value}${step}`);
        }
      })();
    }
    for (let i = 0; i < 20; i++) await broker.topic('step.0', text).publish(`${i}:`);
    const stopped = broker.stop();
    first.open();
    await stopped;
    await nats.closed();
    expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => `${i}:012345678`));
  });

  test('waits for a handler whose subscription has ended', async () => {
    const broker = await inProcess({ shards });
    const nats = await client(portOf(broker));
    const { texts } = collect(nats, 'out');
    await nats.flush();
    const [begun, work] = [gate(), gate()];
    const once = broker.topic('in', text).subscribe(async ({ value }) => {
      once.unsubscribe();
      begun.open();
      await work.opened;
      await broker.topic('out', text).publish(value);
    });
    await broker.topic('in', text).publish('x');
    await begun.opened;
    const stopped = broker.stop();
    work.open();
    await stopped;
    await nats.closed();
    expect(texts).toEqual(['x']);
  });

  test('takes nothing from who has no message in flight, and throws nothing at who does not listen', async () => {
    const broker = await inProcess({ shards });
    broker.topic('a').subscribe(() => {});
    const stopped = broker.stop();
    const refused = broker.topic('a').publish(1);
    // nobody keeps these
    void broker.topic('a').publish(2);
    void broker.topic('nobody').publish(3);
    await expect(refused).rejects.toThrow(ClosedError);
    expect(() => broker.topic('a').offer(4)).toThrow(ClosedError);
    await stopped;
    void broker.topic('a').publish(5);
    await expect(broker.census()).rejects.toThrow(ClosedError);
  });

  test('does not wait for who takes messages one by one and may never come back', async () => {
    const broker = await inProcess({ shards, drainTimeoutMs: 3_600_000 });
    const stream = broker.topic('a').subscribe();
    const queue = broker.queue<number>('jobs');
    const taken = Promise.all([stream.next(), queue.take()]);
    await broker.topic('a').publish(1);
    await queue.put(2);
    await taken;
    await broker.stop();
    expect((await stream.next()).done).toBe(true);
  });

  test('gives up a handler that never ends, says which, and what it does then is told to nobody who cannot hear it', async () => {
    const lines: { msg: string; unfinished?: string[] }[] = [];
    const log = (fields: object | string, msg = ''): void => void lines.push({ ...(fields as object), msg });
    const logger = { fatal: log, error: log, warn: log, info: log, debug: log } as never;
    const { startBroker } = await import('shardcast');
    const broker = await startBroker({ shards, port: 0, drainTimeoutMs: 50 }, logger);
    const [begun, work] = [gate(), gate()];
    const errors: unknown[] = [];
    let busy = 0;
    const late = async (): Promise<number> => {
      if (++busy === 2) begun.open();
      await work.opened;
      return 1;
    };
    broker.reply('service', late);
    broker.reply('told', late, { onError: (error) => errors.push(error) });
    const unanswered = Promise.allSettled([broker.request('service', 1), broker.request('told', 1)]);
    await begun.opened;
    await broker.stop();
    expect(lines.find(({ msg }) => msg === 'drain timed out')?.unfinished).toEqual([
      expect.stringMatching(/a subscription to (service|told) has messages in flight/),
    ]);
    for (const outcome of await unanswered) expect(outcome).toMatchObject({ reason: expect.any(ClosedError) });
    work.open();
    await expect.poll(() => warnings).toEqual(['a subscription to service without onError: the broker is closed']);
    expect(errors).toEqual([expect.any(ClosedError)]);
  });

  test('lets handlers of other threads finish, and does not wait for a thread that has gone', async () => {
    const broker = await inProcess({ shards, drainTimeoutMs: 3_600_000 });
    const nats = await client(portOf(broker));
    const { texts } = collect(nats, 'out');
    await nats.flush();
    const [gone, there] = await Promise.all([thread(broker.port()), thread(broker.port())]);
    await gone.terminate();
    const [begun, exited] = [once(there, 'message'), once(there, 'exit')];
    await broker.topic('in', text).publish('x');
    await begun;
    const stopped = broker.stop();
    there.postMessage('go on');
    await stopped;
    await nats.closed();
    expect(texts).toEqual(['x']);
    await exited;
  });

  test('is over in time beside a thread that does not get round to it, and says so', async () => {
    const broker = await inProcess({ shards, drainTimeoutMs: 50 });
    const busy = await thread(broker.port());
    busy.postMessage('be busy');
    await once(busy, 'message');
    await broker.stop();
    await busy.terminate();
  });

  test('is not held up by a thread that is about to connect', async () => {
    for (let turns = 1; turns < 6; turns++) {
      const broker = await inProcess({ shards, drainTimeoutMs: 3_600_000 });
      const connecting = connectBroker(broker.port()).then(
        ({ closed }) => closed,
        (error) => expect(error).toBeInstanceOf(ClosedError),
      );
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      await broker.stop();
      await connecting;
    }
  });

  test('may be asked for again, in lame duck mode, before and after, and by `using`', async () => {
    await using broker = await inProcess({ shards, lameDuckGraceMs: 60_000, lameDuckDurationMs: 120_000 });
    const nats = await client(portOf(broker));
    const duck = broker.lameDuck();
    expect(broker.reload({ maxPayloadBytes: 2_000_000 }).changed).toEqual(['maxPayloadBytes']);
    await Promise.all([broker.stop(), broker.stop(), broker.lameDuck(), duck]);
    await nats.closed();
    expect(broker.reload({ maxPayloadBytes: 1_000_000 })).toEqual({ changed: [], refused: ['maxPayloadBytes'] });
    await Promise.all([broker.lameDuck(), broker.stop()]);
  });
});

test('a thread that leaves lets its handlers finish and send, also when the broker stops meanwhile', async () => {
  const broker = await inProcess({ shards: 2 });
  const received: string[] = [];
  broker.topic('out', text).subscribe(({ value }) => received.push(value));
  const here = await connectBroker(broker.port());
  const [begun, work] = [gate(), gate()];
  here.topic('in', text).subscribe(async ({ value }) => {
    begun.open();
    await work.opened;
    const { value: answer } = await here.request('service', value, text);
    await here.topic('out', text).publish(String(answer));
  });
  broker.reply('service', ({ value }) => `${value}!`, text);
  await broker.topic('in', text).publish('x');
  await begun.opened;
  const closed = here.close();
  work.open();
  await Promise.all([closed, here.close()]);
  expect(received).toEqual(['x!']);

  const other = await connectBroker(broker.port());
  await Promise.all([other.close(), broker.stop(), other.closed]);
});

/** A thread that subscribes to `in`, says when a message is there, and publishes it to `out` when it is told to go on. */
async function thread(port: ReturnType<Awaited<ReturnType<typeof inProcess>>['port']>): Promise<Worker> {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { once } = require('node:events');
    import(${JSON.stringify(new URL('../../dist/src/broker/index.js', import.meta.url).href)}).then(async ({ connectBroker, codecs }) => {
      const text = { codec: codecs.utf8 };
      const broker = await connectBroker(workerData);
      broker.topic('in', text).subscribe(async ({ value }) => {
        parentPort.postMessage('begun');
        await once(parentPort, 'message');
        await broker.topic('out', text).publish(value);
      });
      parentPort.on('message', (word) => {
        if (word !== 'be busy') return;
        parentPort.postMessage('busy');
        for (;;);
      });
      broker.closed.then(() => parentPort.close());
      parentPort.postMessage('ready');
    });`;
  const worker = new Worker(source, { eval: true, workerData: port, transferList: [port] });
  await once(worker, 'message');
  return worker;
}
