import { type Command, Option } from 'commander';
import { addServerOptions, headerOption, parsePattern, parseQueue, parseTime, wholeFrom } from './clientOptions.js';

const AFTER = `
Give one of TEXT, --echo and --command. A command gets the request on standard input and its subject in
SHARDCAST_SUBJECT; what it prints is the reply. When it fails, the reply carries the Nats-Service-Error headers.

Examples:
  shardcast reply ping pong
  shardcast reply 'echo.>' --echo --queue workers
  shardcast reply time.now --command 'date --iso-8601=seconds'
`;

/** Adds `reply`. */
export function addReply(program: Command): void {
  const command = program
    .command('reply')
    .description('answer requests')
    .argument('<subject>', 'what to answer; * and > are wildcards', parsePattern)
    .argument('[text]', 'the reply')
    .addOption(new Option('--echo', 'reply with the request').conflicts('command'))
    .addOption(new Option('--command <LINE>', 'reply with what a shell command prints'))
    .addOption(
      new Option('--timeout <TIME>', 'how long a command may take').argParser(parseTime).default(30_000, '30s'),
    )
    .addOption(new Option('--queue <NAME>', 'share the requests with others of the same queue').argParser(parseQueue))
    .addOption(new Option('--count <N>', 'end after N replies').argParser(wholeFrom(1)))
    .addOption(headerOption())
    .option('-q, --quiet', 'do not say on standard error when the subscription is in place')
    .addHelpText('after', AFTER);
  addServerOptions(command).action(async (subject, text, options) => {
    const { reply } = await import('./reply.js');
    await reply(subject, text, options);
  });
}
