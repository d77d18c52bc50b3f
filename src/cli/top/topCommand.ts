import { type Command, Option } from 'commander';
import { parseTime, wholeFrom } from '../clientOptions.js';

const SORTS = [
  'cid',
  'start',
  'subs',
  'pending',
  'msgs_to',
  'msgs_from',
  'bytes_to',
  'bytes_from',
  'last',
  'idle',
  'uptime',
  'rtt',
];

const AFTER = `
Asks the monitoring port of any NATS server (/varz and /connz). Rates are those between two looks; connections that were
not among those of the look before have none.

Examples:
  shardcast top                                     what http://127.0.0.1:8222 tells, every second
  shardcast top http://10.0.0.1:8222 --sort pending --connections 5
  shardcast top --once -d 10s                       one look at 10 seconds, as plain text
`;

/** Adds `top`. */
export function addTop(program: Command): void {
  program
    .command('top')
    .description('show what a server does, and its busiest connections')
    .argument('[url]', "the server's monitoring port", 'http://127.0.0.1:8222')
    .addOption(new Option('-n, --count <N>', 'so many looks (default: until interrupted)').argParser(wholeFrom(1)))
    .addOption(new Option('-d, --delay <TIME>', 'time between looks').argParser(parseTime).default(1000, '1s'))
    .addOption(new Option('--sort <KEY>', 'order of connections').choices(SORTS).default('msgs_to'))
    .addOption(new Option('-c, --connections <N>', 'so many connections').argParser(wholeFrom(1)).default(20))
    .addOption(new Option('--once', 'one look, as plain text').conflicts('count'))
    .addOption(
      new Option('--timeout <TIME>', 'how long to wait for an answer').argParser(parseTime).default(5000, '5s'),
    )
    .addOption(new Option('--user <NAME>', 'user').env('SHARDCAST_USER'))
    .addOption(new Option('--pass <SECRET>', 'password').env('SHARDCAST_PASS'))
    .addOption(new Option('--token <SECRET>', 'token').env('SHARDCAST_TOKEN'))
    .addHelpText('after', AFTER)
    .action(async (url, options) => (await import('./top.js')).top(url, options));
}
