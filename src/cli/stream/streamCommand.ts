import { type Command, Option } from 'commander';
import { parseName, run, withForce, withJson } from '../apiCommand.js';
import { parsePattern, wholeFrom } from '../clientOptions.js';
import { parseInstant } from '../flags.js';
import { addConfigFlags, addFirstFlags } from './configFlags.js';

const AFTER = `
Streams keep what is published to their subjects. They are managed by the JetStream API, on any server that has it.

Examples:
  shardcast stream add ORDERS --subjects 'orders.>' --max-age 24h
  shardcast stream ls
  shardcast stream edit ORDERS --max-bytes 1GiB --no-allow-direct    --no- takes a switch back
  shardcast stream get ORDERS --last-for orders.new
  shardcast stream purge ORDERS --subject orders.old --force
`;

const AFTER_GET = `
Examples:
  shardcast stream get ORDERS 12                        the message with this sequence
  shardcast stream get ORDERS --last-for 'orders.*'     the last message of these subjects
  shardcast stream get ORDERS 12 --next orders.new      the first one of a subject from a sequence on
  shardcast stream get ORDERS --since 2026-01-31T12:00:00Z
`;

/** Adds `stream` and what there is of it. */
export function addStream(program: Command): void {
  const stream = program.command('stream').description('manage streams').addHelpText('after', AFTER);
  addAdd(stream);
  addLs(stream);
  addInfo(stream);
  addEdit(stream);
  addPurge(stream);
  addRm(stream);
  addGet(stream);
}

function addAdd(stream: Command): void {
  const command = named(stream.command('add').description('make a stream; --subjects is its name if left out'));
  addConfigFlags(addFirstFlags(command)).addOption(
    new Option('--config <FILE>', "configuration in JSON, by NATS's names; flags go before what it says"),
  );
  run(withJson(command), async () => (await import('./actions.js')).add);
}

function addLs(stream: Command): void {
  const command = stream
    .command('ls')
    .description('list streams')
    .addOption(
      new Option('--subject <SUBJECT>', 'those that take a subject, or some of a pattern').argParser(parsePattern),
    )
    .addOption(new Option('--names', 'print names alone').conflicts('json'));
  run(withJson(command), async () => (await import('./actions.js')).ls);
}

function addInfo(stream: Command): void {
  run(withJson(named(stream.command('info').description('show a stream'))), async () => {
    return (await import('./actions.js')).info;
  });
}

function addEdit(stream: Command): void {
  const command = named(stream.command('edit').description('change what is said, leave the rest'));
  run(withForce(withJson(addConfigFlags(command))), async () => (await import('./actions.js')).edit);
}

function addPurge(stream: Command): void {
  const command = named(stream.command('purge').description('remove messages, all of them unless said otherwise'))
    .addOption(new Option('--subject <SUBJECT>', 'those of a subject or a pattern').argParser(parsePattern))
    .addOption(new Option('--seq <N>', 'those before a sequence').argParser(wholeFrom(1)).conflicts('keep'))
    .addOption(new Option('--keep <N>', 'all but the last N').argParser(wholeFrom(1)));
  run(withForce(withJson(command)), async () => (await import('./actions.js')).purge);
}

function addRm(stream: Command): void {
  const command = named(stream.command('rm').description('remove a stream with all its messages'));
  run(withForce(command), async () => (await import('./actions.js')).rm);
}

function addGet(stream: Command): void {
  const command = named(stream.command('get').description('print one message'))
    .addOption(new Option('--last-for <SUBJECT>', 'the last one of a subject or a pattern').argParser(parsePattern))
    .addOption(new Option('--next <SUBJECT>', 'the first one of a subject or a pattern').argParser(parsePattern))
    .addOption(new Option('--since <TIME>', 'the first one from a time on').argParser(parseInstant))
    .addOption(new Option('--raw', 'print the payload alone, without escaping for the terminal').conflicts('json'))
    .option('--headers', 'print headers too (JSON always has them)')
    .addHelpText('after', AFTER_GET);
  command.argument('[sequence]', 'its sequence, or where to look from', wholeFrom(1));
  run(withJson(command), async () => (await import('./actions.js')).get);
}

function named(command: Command): Command {
  return command.argument('<stream>', 'name of the stream', parseName);
}
