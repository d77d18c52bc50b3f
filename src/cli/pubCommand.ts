import { type Command, Option } from 'commander';
import { addServerOptions, headerOption, parseSubject, wholeFrom } from './clientOptions.js';

const AFTER = `
Without a payload, or with -, the payload is read from standard input.
It ends with 0 when the server has everything; where a stream takes the subject, when that has stored it (not with --reply: then the
stream answers there).

Examples:
  shardcast pub orders.new '{"id":1}'
  shardcast pub orders.new --header trace:42 --count 1000 hello
  tail -f app.log | shardcast pub logs.app --lines
`;

/** Adds `pub`. */
export function addPub(program: Command): void {
  const command = program
    .command('pub')
    .description('publish messages')
    .argument('<subject>', 'where to publish', parseSubject)
    .argument('[payload]', 'the message; - is standard input')
    .addOption(new Option('--count <N>', 'publish the message N times').argParser(wholeFrom(1)).default(1))
    .option('--lines', 'publish each line of standard input as a message')
    .addOption(headerOption())
    .addOption(new Option('--reply <SUBJECT>', 'subject for replies').argParser(parseSubject))
    .addHelpText('after', AFTER);
  addServerOptions(command).action(async (subject, payload, options) => {
    const { pub } = await import('./pub.js');
    await pub(subject, payload, options);
  });
}
