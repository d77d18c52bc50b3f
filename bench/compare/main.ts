import { scenarios } from './scenarios.js';
import { selectTargets } from './targets.js';
import { runLoad } from './run-load.js';
import { endServersOnExit } from './child-processes.js';
endServersOnExit();
const s = scenarios.find((x) => x.id === process.argv[2])!;
for (const t of selectTargets(process.argv[3]!.split(','), [])) {
  const b = await t.start([]);
  if (s.kind === 'load') console.log(t.name, await runLoad(s, b, { warmUpSeconds: 1, seconds: 2, threads: { publishing: 1, subscribing: 1 } }));
  await b.stop();
}
