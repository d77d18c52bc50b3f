import { Argument, Command } from 'commander';
import { runCommand } from '../commandLine.js';
import { besideSlow } from './besideSlow.js';
import { conflation } from './conflation.js';
import { lastValue } from './lastValue.js';
import { uneven } from './uneven.js';

const benches = {
  slow: () => besideSlow(3),
  uneven: () => uneven(3, 30),
  conflate: () => conflation(8_000),
  last: () => lastValue(),
};
type Name = keyof typeof benches;
const names = Object.keys(benches) as Name[];

async function run(wanted: readonly Name[]): Promise<void> {
  for (const name of names) if (wanted.length === 0 || wanted.includes(name)) await benches[name]();
}

await runCommand(
  new Command('bench:policies')
    .description('Measures what slow subscribers do to others, how old what they read is, what last values cost.')
    .addArgument(new Argument('[name...]', 'which (all)').choices(names))
    .action(run),
);
