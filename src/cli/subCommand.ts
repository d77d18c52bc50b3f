import { type Command, Option } from 'commander';
import { policyNames } from '../base/policy.js';
import { domainOption, parseName } from './apiCommand.js';
import { addServerOptions, parsePattern, parseQueue, parseSubject, parseTime, wholeFrom } from './clientOptions.js';
import { parseSpeed } from './consumer/configFlags.js';
import { parseReplay } from './storedStart.js';

const AFTER = `
Ends after --count messages, after --timeout, or with Ctrl-C: then it still prints what is on its way. With a
--policy what was lost is told on standard error. In JSON a payload that is not
UTF-8 stands under "payloadBase64".

Examples:
  shardcast sub orders.new
  shardcast sub 'orders.>' 'payments.*' --headers
  shardcast sub jobs --queue workers --json --count 10
  shardcast sub quotes.ACME --count 1 --timeout 5s --raw > quote.bin
  shardcast sub 'quotes.>' --last --policy conflate
  shardcast sub 'orders.>' --durable billing
  shardcast sub 'quotes.>' --replay 2026-01-31T12:00:00Z --speed 10
  shardcast sub jobs --queue workers --prefetch 10 --server tcp://127.0.0.1:4223
  shardcast sub jobs --queue workers --prefetch 10 --max-deliver 5 --dead-letter jobs.dead --server tcp://127.0.0.1:4223
`;

/** Adds `sub`. */
export function addSub(program: Command): void {
  const command = program
    .command('sub')
    .description('subscribe and print messages')
    .argument('<subjects...>', 'what to subscribe to; * and > are wildcards', (text: string, earlier?: string[]) => [
      ...(earlier ?? []),
      parsePattern(text),
    ])
    .addOption(new Option('--queue <NAME>', 'share the messages with others of the same queue').argParser(parseQueue))
    .addOption(new Option('--count <N>', 'end after N messages').argParser(wholeFrom(1)))
    .addOption(
      new Option(
        '--prefetch <N>',
        'take the work of a --queue, acknowledged once it is printed, N messages in flight at most (--server is tcp://HOST:PORT, the JSON lines of a Shardcast broker)',
      ).argParser(wholeFrom(1)),
    )
    .addOption(
      new Option(
        '--max-deliver <N>',
        'how often a message of --prefetch or a new --durable is delivered; without limit by default',
      ).argParser(wholeFrom(1)),
    )
    .addOption(
      new Option(
        '--ack-wait <TIME>',
        'how long a message of --prefetch or a new --durable may wait to be printed before another gets it; 30s by default',
      ).argParser(parseTime),
    )
    .addOption(
      new Option(
        '--dead-letter <SUBJECT>',
        'where a message of --prefetch goes that was delivered --max-deliver times, and what a --policy drops',
      ).argParser(parseSubject),
    )
    .addOption(
      new Option('--timeout <TIME>', 'end after so long; with --count it is an error when fewer came').argParser(
        parseTime,
      ),
    )
    .addOption(
      new Option('--policy <NAME>', 'what to do with messages while their reader is slow (Shardcast only)').choices(
        policyNames,
      ),
    )
    .addOption(
      new Option(
        '--durable <NAME>',
        'what a stream has, going on where this name left off, acknowledged once it is printed',
      ).argParser(parseName),
    )
    .addOption(
      new Option(
        '--replay <FROM>',
        'what a stream has: all, last (of each subject), new, a sequence, a time, or 10m (ago); with --durable: where a new one begins',
      ).argParser(parseReplay),
    )
    .addOption(
      new Option('--speed <N>', 'replay so many times as fast as messages came; 1 is as they came').argParser(
        parseSpeed,
      ),
    )
    .addOption(new Option('--stream <NAME>', 'the stream, where several have the subject').argParser(parseName))
    .option('--last', 'first the last message of each subject, where the broker keeps those (Shardcast only)')
    .addOption(new Option('--raw', 'print payloads alone, to the byte: no line ends').conflicts(['json', 'headers']))
    .addOption(new Option('--json', 'print one JSON object a line'))
    .option('--headers', 'print headers too (JSON always has them)')
    .option('-q, --quiet', 'do not say on standard error when the subscription is in place')
    .addHelpText('after', AFTER);
  addServerOptions(command.addOption(domainOption())).action(async (subjects, options) => {
    const { sub } = await import('./sub.js');
    await sub(subjects, options);
  });
}
