import { type Command, Option } from 'commander';
import { wholeFrom } from '../clientOptions.js';

const after = `
The directory is that of serve --data, and no broker may have it. Nothing in it is changed.

Examples:
  shardcast log verify data                              whether all that was written is there
  shardcast log dump data --stream ORDERS --from 1000 --limit 10 --payload
  shardcast log repair data --to data.new                then: shardcast serve --data data.new

They end with 0 when all is whole, with 1 when something is damaged, and with 2 when the directory cannot be read.
`;

type Action = (...given: never[]) => Promise<void>;

/** Adds `log` and what there is of it. */
export function addLog(program: Command): void {
  const log = program
    .command('log')
    .description('look at what a broker has on disk, without a broker')
    .addHelpText('after', after);
  addVerify(log);
  addDump(log);
  addRepair(log);
}

function addVerify(log: Command): void {
  const command = log
    .command('verify')
    .description(
      'read all that is on disk and check it; say what is damaged, where, and which messages are missing for it',
    );
  run(command, async () => (await import('./verify.js')).verify);
}

function addDump(log: Command): void {
  const command = log
    .command('dump')
    .description('print the messages that are on disk: stream, sequence, time, subject and sizes')
    .addOption(new Option('--stream <NAME>', 'of one stream, by its name'))
    .addOption(new Option('--from <SEQUENCE>', 'from a sequence on').argParser(wholeFrom(1)).default(1))
    .addOption(new Option('--limit <N>', 'no more than N messages').argParser(wholeFrom(1)))
    .addOption(new Option('--payload', 'print headers and payloads, too'))
    .addOption(new Option('--consumers', 'print instead how far each consumer has come'));
  run(command, async () => (await import('./dump.js')).dump);
}

function addRepair(log: Command): void {
  const command = log
    .command('repair')
    .description('copy all that can be read into a new directory, and say what was left out')
    .requiredOption('--to <DIR>', 'the new directory; it is not there, or empty');
  run(command, async () => (await import('./repair.js')).repair);
}

/** Gives a command what all have, and its work, which is loaded when it is asked for. */
function run(command: Command, load: () => Promise<Action>): void {
  command
    .argument('<dir>', 'directory of the streams')
    .addOption(new Option('--journal-dir <DIR>', 'where its journals are, when somebody has moved them'))
    .addOption(new Option('--json', 'print one JSON object a line'))
    .action(async (...given: unknown[]) => {
      // commander puts the command itself behind its options
      await (await load())(...(given.slice(0, -1) as never[]));
    });
}
