import { expect, test } from 'vitest';
import { Catalogue } from '../../src/shard/streams/catalogue.js';
import { catalogueEndpoints } from '../../src/shard/streams/catalogueEndpoints.js';
import { OneByOne } from '../../src/shard/streams/oneByOne.js';
import { Slices } from '../../src/shard/streams/slices.js';
import type { StreamShards } from '../../src/shard/streams/streamCalls.js';
import type { StreamConfig } from '../../src/stream/streamConfig.js';
import { WallClock } from '../../src/stream/times.js';

test('however many lists are asked for, shards describe their streams for one at a time, and all are answered', async () => {
  const waiting: (() => void)[] = [];
  let asked = 0;
  const calls = {
    call: () => {
      asked++;
      return new Promise((resolve) => waiting.push(() => resolve([])));
    },
  } as unknown as StreamShards;
  const slices = new Slices(() => {});
  const catalogue = new Catalogue({
    shards: 1,
    owners: null as never,
    calls,
    slices,
    memoryBytesMax: 0,
    onAction: () => {},
  });
  catalogue.know([{ name: 'S', subjects: [] } as unknown as StreamConfig]);
  const server = { version: '0', level: 0, serverName: '', domain: '' };
  const site = { catalogue, server, clock: new WallClock(), slices, listed: new OneByOne() };
  const { handle } = catalogueEndpoints(site).find(({ pattern }) => pattern === 'STREAM.LIST')!;
  const request = { tokens: [], name: '', body: '', reply: new Uint8Array(0), requiresLevel: false, caller: '' };
  const lists = [1, 2, 3].map(() => handle(request) as Promise<object>);
  for (let answered = 1; answered <= lists.length; answered++) {
    await new Promise(setImmediate);
    expect(asked).toBe(answered);
    waiting.shift()!();
    await new Promise(setImmediate);
    slices.doWork();
  }
  for (const list of lists) expect(await list).toMatchObject({ total: 1, streams: [] });
});
