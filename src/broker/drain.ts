import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientHub } from './clientHub.js';
import type { ShardWorker } from './shardWorker.js';

/** Rounds in a row in which no thread had anything to do, after which nothing is on its way any more. */
const quietRounds = 2;

/** How long a drain that waits for handlers leaves everybody alone between two rounds, in milliseconds. */
const pauseMs = 2;

/**
 * Brings a broker to rest: what was read is carried out, handlers finish and send, what that caused is delivered, then
 * connections end. Gives up when `late` is aborted; whatever thread has ended is not waited for.
 */
export async function drain(workers: readonly ShardWorker[], clients: ClientHub, late: AbortSignal): Promise<void> {
  for (const worker of workers) worker.post({ type: 'stopReading' });
  clients.beginStop();
  await untilQuiet(workers, clients, late);
  // who takes messages one by one is not waited for, and may have published meanwhile
  clients.stopPublishing();
  await untilQuiet(workers, clients, late);
  if (!late.aborted) await Promise.all(workers.map((worker) => worker.call('endAll')));
}

async function untilQuiet(workers: readonly ShardWorker[], clients: ClientHub, late: AbortSignal): Promise<void> {
  let quiet = 0;
  let sequencedBefore = -1;
  while (quiet < quietRounds && !late.aborted) {
    const [clientsQuiet, ...states] = await Promise.all([
      clients.askQuiet(),
      ...workers.map((worker) => worker.call('quiet')),
    ]);
    const sequenced = states.reduce((sum, state) => sum + (state?.sequenced ?? 0), 0);
    const shardsQuiet = states.every((state) => state === null || state.quiet);
    quiet = clientsQuiet && shardsQuiet && sequenced === sequencedBefore ? quiet + 1 : 0;
    sequencedBefore = sequenced;
    if (!clientsQuiet) await sleep(pauseMs);
  }
}
