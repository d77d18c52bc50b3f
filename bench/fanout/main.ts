import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endServersOnExit } from '../compare/childProcesses.js';
import { startCheckout } from '../doors/server.js';
import { type Load, loads } from './load.js';
import { measure, type Outcome } from './run.js';

/**
 * `npm run bench:fanout [-- --checkout DIR] [--only NAME] [--shards 1,2,4] [--rounds N] [--messages N]`: what a message costs the broker when
 * subscribers are on all shards, beside another built checkout, in turns.
 */
const { values } = parseArgs({
  options: {
    checkout: { type: 'string' },
    only: { type: 'string', default: '' },
    shards: { type: 'string', default: '1,2,4' },
    rounds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '2400000' },
  },
});
const here = fileURLToPath(new URL('../../..', import.meta.url));
const checkouts = values.checkout === undefined ? [here] : [here, values.checkout];
const shardCounts = values.shards.split(',').map(Number);

endServersOnExit();
for (const load of loads.filter(({ name }) => name.includes(values.only))) {
  console.log(`${load.name}: CPU of the broker a message, messages a second, against one shard`);
  const first = new Map<string, number>();
  for (const shards of shardCounts) {
    const outcomes = await inTurns(load, shards);
    for (const [checkout, runs] of outcomes) {
      const cpuUs = median(runs.map((each) => each.cpuUs));
      if (!first.has(checkout)) first.set(checkout, cpuUs);
      const perSecond = median(runs.map(({ messagesPerSecond }) => messagesPerSecond)) / 1e6;
      const ratio = cpuUs / first.get(checkout)!;
      console.log(
        `${checkout === here ? 'this' : 'other'}  ${shards} shards  ${cpuUs.toFixed(3)} us  ${perSecond.toFixed(2)} M/s  ${ratio.toFixed(2)}`,
      );
    }
  }
}

async function inTurns(load: Load, shards: number): Promise<Map<string, Outcome[]>> {
  const outcomes = new Map<string, Outcome[]>(checkouts.map((checkout) => [checkout, []]));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const checkout of checkouts) outcomes.get(checkout)!.push(await once(checkout, load, shards));
  return outcomes;
}

async function once(checkout: string, load: Load, shards: number): Promise<Outcome> {
  const server = await startCheckout(checkout, shards);
  try {
    return await measure(server, load, Number(values.messages));
  } finally {
    await server.stop();
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
