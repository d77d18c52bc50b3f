import { Command, InvalidArgumentError } from 'commander';
import { collected, positiveInteger, positiveIntegers, positiveNumber } from '../commandLine.js';
import type { GeneratorThreads } from './generator.js';

export interface CompareFlags {
  readonly only?: string[];
  readonly targets?: string[];
  readonly shardcastDir: string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
  readonly generatorThreads: GeneratorThreads;
  readonly json?: string;
  readonly gate?: boolean;
  readonly list?: boolean;
}

/** `N` or `PUBLISHING,SUBSCRIBING`. */
export function generatorThreads(text: string): GeneratorThreads {
  const numbers = positiveIntegers(text);
  if (numbers.length > 2) throw new InvalidArgumentError('It must be N or PUBLISHING,SUBSCRIBING.');
  return { publishing: numbers[0]!, subscribing: numbers[1] ?? numbers[0]! };
}

const help = `
Each run starts a fresh broker on a free loopback port, warms it up, measures a fixed window and stops it. Targets
alternate within a round; the table shows medians over the rounds.

  published/s      messages the publishers' sockets took in the window; with many connections the kernel's buffers
                   take seconds to fill, and this runs ahead of what is delivered
  delivered/s      messages the subscribers received whole in the window
  µs CPU/delivery  user and system time of all the broker's threads in the window, per delivery
  p50 p99 p99.9    from the time a message was due to be sent until it was read (fixed-rate scenarios only)
  peak MB          VmHWM at the end of the run
  broker cores     CPU time / window; likewise the generator's, and all else on this machine ('others'): if that is
                   not near zero, measure again
  (!)              a connection was lost, deliveries were lost or overdue, or a round failed; reasons follow

Examples:
  npm run bench:compare -- --list
  npm run bench:compare -- --only 1-1-16 p1 --targets shardcast,nats-server
  npm run bench:compare -- --only '1->10' --rounds 5 --seconds 5 --json result.json
  npm run bench:compare -- --only 1-10-16 --targets shardcast --shardcast-dir ../before     (before and after)
  npm run bench:compare -- --targets shardcast,shardcast-watched --only 1-1-16              (what it costs to be scraped)
  npm run bench:compare -- --targets nats-server,mine=nats://127.0.0.1:4222@12345           (one that runs, by pid)
  npm run bench:compare -- --gate                                                            (exit 1 below a bar)`;

/** Parses `bench:compare`'s flags; prints help or what is wrong, and exits, by itself. */
export function parseCommandLine(argv: readonly string[]): CompareFlags {
  return new Command('bench:compare')
    .description('Measures Shardcast and the peers installed here (nats-server, redis-server, mosquitto) side by side.')
    .option('--only <scenario...>', 'ids, names or regular expressions of scenarios (default: all)')
    .option('--targets <list>', 'comma-separated (default: every one available)', (text) => text.split(','))
    .option(
      '--shardcast-dir <dir>',
      'another built checkout, measured as shardcast@DIR; may be repeated',
      collected,
      [],
    )
    .option('--rounds <n>', 'rounds of all targets', positiveInteger, 3)
    .option('--seconds <n>', 'length of the measured window', positiveNumber, 3)
    .option('--warm-up <n>', 'seconds of load before it', positiveNumber, 1.5)
    .option('--generator-threads <n[,n]>', 'threads that publish, and that subscribe', generatorThreads, {
      publishing: 1,
      subscribing: 1,
    })
    .option('--json <file>', 'also write scenarios, every round, medians and verdicts to this file')
    .option('--gate', "exit 1 when Shardcast misses a bar of a scenario's, or it was not measured")
    .option('--list', 'list the scenarios and their bars, and exit')
    .addHelpText('after', help)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse(argv as string[])
    .opts<CompareFlags>();
}
