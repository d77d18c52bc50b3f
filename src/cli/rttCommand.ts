import { type Command, Option } from 'commander';
import { addServerOptions, parseTime, wholeFrom } from './clientOptions.js';

const AFTER = `
Examples:
  shardcast rtt
  shardcast rtt --server nats://10.0.0.1:4222 --count 100 --json
`;

/** Adds `rtt`. */
export function addRtt(program: Command): void {
  const command = program
    .command('rtt')
    .description('measure how long a server takes to answer a PING')
    .addOption(new Option('-n, --count <N>', 'how many times').argParser(wholeFrom(1)).default(5))
    .addOption(
      new Option('--timeout <TIME>', 'how long to wait for an answer').argParser(parseTime).default(5000, '5s'),
    )
    .addOption(new Option('--json', 'print one JSON object'))
    .addHelpText('after', AFTER);
  addServerOptions(command).action(async (options) => {
    const { rtt } = await import('./rtt.js');
    await rtt(options);
  });
}
