import { type Command, Option } from 'commander';
import { addServerOptions, headerOption, parseSubject, parseTime, wholeFrom } from './clientOptions.js';

const AFTER = `
Without a payload, or with -, the payload is read from standard input.

Examples:
  shardcast request time.now ''
  shardcast request quotes '{"symbol":"ABC"}' --timeout 500ms --json
  shardcast request who.is.there hello --replies 0 --timeout 1s    all who answer within a second
`;

/** Adds `request`. */
export function addRequest(program: Command): void {
  const command = program
    .command('request')
    .description('publish a request and print the replies')
    .argument('<subject>', 'whom to ask', parseSubject)
    .argument('[payload]', 'the request; - is standard input')
    .addOption(new Option('--timeout <TIME>', 'how long to wait').argParser(parseTime).default(5000, '5s'))
    .addOption(
      new Option('--replies <N>', 'wait for N replies; 0 takes all that come in time')
        .argParser(wholeFrom(0))
        .default(1),
    )
    .addOption(headerOption())
    .addOption(
      new Option('--raw', 'print payloads alone, without escaping for the terminal').conflicts(['json', 'headers']),
    )
    .addOption(new Option('--json', 'print one JSON object a line'))
    .option('--headers', 'print headers too (JSON always has them)')
    .addHelpText('after', AFTER);
  addServerOptions(command).action(async (subject, payload, options) => {
    const { request } = await import('./request.js');
    await request(subject, payload, options);
  });
}
