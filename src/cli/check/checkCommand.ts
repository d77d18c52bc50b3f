import { type Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../../options/units.js';
import { parseName, run } from '../apiCommand.js';
import { addServerOptions, parseTime, wholeFrom } from '../clientOptions.js';
import { parseSize } from '../flags.js';
import { type Levels, lineOf, STATES } from './verdict.js';

const AFTER = `
One line on standard output, and ends with 0 OK, 1 WARNING, 2 CRITICAL or 3 UNKNOWN (a wrong flag), as monitoring
plugins do. What cannot be reached, or is not there, is critical. Works with any NATS server.

Examples:
  shardcast check connection --warn 100ms --critical 1s
  shardcast check latency --count 20
  shardcast check stream ORDERS --min-messages 1 --max-age 5m,1h
  shardcast check consumer ORDERS billing --max-pending 1000,10000 --max-waiting-age 10m
`;

const AFTER_LEVELS = `
LEVELS are WARN,CRITICAL, as in 100,1000, or one value, which is critical. The bound itself is still allowed.
`;

/** Adds `check` and what can be checked. */
export function addCheck(program: Command): void {
  const check = program
    .command('check')
    .description('say whether all is well, as a monitoring plugin does')
    .configureOutput({ outputError: () => {} })
    .exitOverride(endUnknown)
    .addHelpText('after', AFTER);
  addTimes(check.command('connection').description('connecting, and the answer to a PING')).action(async (options) =>
    (await import('./connecting.js')).checkConnection(options),
  );
  addTimes(check.command('latency').description('a message to the server and back'))
    .addOption(new Option('-n, --count <N>', 'how many, whose median counts').argParser(wholeFrom(1)).default(11))
    .action(async (options) => (await import('./connecting.js')).checkLatency(options));
  addStream(check.command('stream'));
  addConsumer(check.command('consumer'));
}

function addTimes(command: Command): Command {
  const time = (flags: string, what: string, ms: number, shown: string) =>
    command.addOption(new Option(`${flags} <TIME>`, what).argParser(parseSeconds).default(ms / 1000, shown));
  time('--warn', 'longer is a warning', 500, '500ms');
  time('--critical', 'longer is critical', 1000, '1s');
  command.addOption(
    new Option('--timeout <TIME>', 'how long to wait for an answer').argParser(parseTime).default(5000, '5s'),
  );
  return addServerOptions(command);
}

function addStream(command: Command): void {
  command.description('how much a stream has').argument('<stream>', 'name of the stream', parseName);
  addLevels(command, '--min-messages', 'fewer messages', atLeast(wholeFrom(0)));
  addLevels(command, '--max-messages', 'more messages', atMost(wholeFrom(0)));
  addLevels(command, '--max-bytes', 'more bytes, such as 1GiB', atMost(parseSize));
  addLevels(command, '--max-age', 'the last message is longer ago, such as 5m', atMost(parseSeconds));
  addLevels(command, '--min-consumers', 'fewer consumers', atLeast(wholeFrom(0)));
  run(command.addHelpText('after', AFTER_LEVELS), async () => (await import('./stored.js')).checkStream);
}

function addConsumer(command: Command): void {
  command
    .description('how far a consumer is behind')
    .argument('<stream>', 'name of the stream', parseName)
    .argument('<consumer>', 'name of the consumer', parseName);
  addLevels(command, '--max-pending', 'more messages to be delivered', atMost(wholeFrom(0)));
  addLevels(command, '--max-ack-pending', 'more delivered and not acknowledged', atMost(wholeFrom(0)));
  addLevels(command, '--max-redelivered', 'more that were delivered again', atMost(wholeFrom(0)));
  addLevels(command, '--min-pulls', 'fewer pull requests waiting', atLeast(wholeFrom(0)));
  addLevels(
    command,
    '--max-waiting-age',
    'the oldest message not acknowledged is older, such as 10m',
    atMost(parseSeconds),
  );
  run(command.addHelpText('after', AFTER_LEVELS), async () => (await import('./stored.js')).checkConsumer);
}

function addLevels(command: Command, flag: string, what: string, parse: (text: string) => Levels): void {
  command.addOption(new Option(`${flag} <LEVELS>`, what).argParser(parse));
}

function atMost(parse: (text: string) => number): (text: string) => Levels {
  return levels(parse, (warning, critical) => warning <= critical);
}

function atLeast(parse: (text: string) => number): (text: string) => Levels {
  return levels(parse, (warning, critical) => warning >= critical);
}

/** `WARN,CRITICAL` or `CRITICAL`. */
function levels(
  parse: (text: string) => number,
  isInOrder: (warning: number, critical: number) => boolean,
): (text: string) => Levels {
  return (text) => {
    const [first, second, ...rest] = text.split(',').map((part) => parse(part.trim()));
    if (rest.length > 0) throw new InvalidArgumentError('It must be WARN,CRITICAL, or one value.');
    if (second === undefined) return { critical: first! };
    if (isInOrder(first!, second)) return { warning: first!, critical: second };
    throw new InvalidArgumentError('The warning, which is first, must come before what is critical.');
  };
}

/** In seconds; of any length. */
function parseSeconds(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== null && ms > 0) return ms / 1000;
  throw new InvalidArgumentError('It must be a time such as 500ms, 2s or 2 (seconds).');
}

/** A wrong command line is a check's result, too: whoever runs it reads standard output. */
function endUnknown(error: CommanderError): never {
  if (error.exitCode === 0) throw error;
  const text =
    error.code === 'commander.help'
      ? 'say what to check: connection, latency, stream or consumer'
      : error.message.replace(/^error: /, '');
  process.stdout.write(lineOf('check', { state: 'UNKNOWN', text, measures: [] }));
  throw new CommanderError(STATES.UNKNOWN, error.code, error.message);
}
