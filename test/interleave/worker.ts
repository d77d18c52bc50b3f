import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, Run } from './scenario.js';
import { scenarios } from './scenarios.js';
import { abort, enter, leave } from './turnstile.js';

const port = parentPort!;
const thread = workerData as 0 | 1;

port.on('message', async (run: Run) => {
  port.postMessage(await answer(run));
});
port.postMessage('ready');

async function answer(run: Run): Promise<Answer> {
  try {
    const { stopped } = enter(run.turnstile, thread);
    await Promise.race([scenarios[run.scenario].threads[thread](run.memory, run.seed, run.plant), stopped]);
    leave();
    return '';
  } catch (error) {
    abort();
    return (error as Error).message;
  }
}
