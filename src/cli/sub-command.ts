import { type Command, Option } from 'commander';
import { addServerOptions, parsePattern, parseQueue, wholeFrom } from './client-options.js';

const AFTER = `
Ends after --count messages, or with Ctrl-C: then it still prints what is on its way. In JSON a payload that is not
UTF-8 stands under "payloadBase64".

Examples:
  shardcast sub orders.new
  shardcast sub 'orders.>' 'payments.*' --headers
  shardcast sub jobs --queue workers --json --count 10
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
    .addOption(new Option('--raw', 'print payloads alone').conflicts(['json', 'headers']))
    .addOption(new Option('--json', 'print one JSON object a line'))
    .option('--headers', 'print headers too (JSON always has them)')
    .option('-q, --quiet', 'do not say on standard error when the subscription is in place')
    .addHelpText('after', AFTER);
  addServerOptions(command).action(async (subjects, options) => {
    const { sub } = await import('./sub.js');
    await sub(subjects, options);
  });
}
