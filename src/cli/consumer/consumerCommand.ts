import { type Command, Option } from 'commander';
import { parseName, run, withForce, withJson } from '../apiCommand.js';
import { parseTime, wholeFrom } from '../clientOptions.js';
import { parseInstant } from '../flags.js';
import { addConfigFlags } from './configFlags.js';

const AFTER = `
Consumers know how far somebody has come with a stream. They are managed by the JetStream API, on any server that has
it. What they deliver is taken with next, or by 'shardcast sub SUBJECT --durable NAME'.

Examples:
  shardcast consumer add ORDERS billing --filter-subjects orders.new --ack-wait 30s
  shardcast consumer ls ORDERS
  shardcast consumer next ORDERS billing --count 10
  shardcast consumer pause ORDERS billing --for 1h
  shardcast consumer rm ORDERS billing --force
`;

const AFTER_NEXT = `
Each message is acknowledged once it is printed. Ends with 1 when there is no message in time.

Examples:
  shardcast consumer next ORDERS billing
  shardcast consumer next ORDERS billing --count 100 --wait 1m --json
  shardcast consumer next ORDERS billing --no-ack      it comes again after the consumer's ack wait
`;

/** Adds `consumer` and what there is of it. */
export function addConsumer(program: Command): void {
  const consumer = program.command('consumer').description('manage consumers of streams').addHelpText('after', AFTER);
  addAdd(consumer);
  addLs(consumer);
  addInfo(consumer);
  addRm(consumer);
  addPause(consumer);
  addResume(consumer);
  addNext(consumer);
}

function addAdd(consumer: Command): void {
  const description = 'make a consumer that lasts; messages are acknowledged one by one unless said otherwise';
  const command = addConfigFlags(named(consumer.command('add').description(description)))
    .addOption(new Option('--config <FILE>', "configuration in JSON, by NATS's names; flags go before what it says"))
    .option('--ephemeral', 'one that goes when nobody uses it');
  run(withJson(command), async () => (await import('./actions.js')).add);
}

function addLs(consumer: Command): void {
  const command = ofStream(consumer.command('ls').description('list consumers of a stream')).addOption(
    new Option('--names', 'print names alone').conflicts('json'),
  );
  run(withJson(command), async () => (await import('./actions.js')).ls);
}

function addInfo(consumer: Command): void {
  run(withJson(named(consumer.command('info').description('show a consumer'))), async () => {
    return (await import('./actions.js')).info;
  });
}

function addRm(consumer: Command): void {
  run(withForce(named(consumer.command('rm').description('remove a consumer'))), async () => {
    return (await import('./actions.js')).rm;
  });
}

function addPause(consumer: Command): void {
  const command = named(consumer.command('pause').description('deliver nothing for a while'))
    .addOption(new Option('--until <TIME>', 'until then').argParser(parseInstant).conflicts('for'))
    .addOption(new Option('--for <TIME>', 'for so long').argParser(parseTime));
  run(withJson(command), async () => (await import('./actions.js')).pause);
}

function addResume(consumer: Command): void {
  run(withJson(named(consumer.command('resume').description('end a pause'))), async () => {
    return (await import('./actions.js')).resume;
  });
}

function addNext(consumer: Command): void {
  const command = named(consumer.command('next').description('take messages, print and acknowledge them'))
    .addOption(new Option('--count <N>', 'so many').argParser(wholeFrom(1)).default(1))
    .addOption(new Option('--wait <TIME>', 'how long to wait for them').argParser(parseTime).default(5000, '5s'))
    .option('--no-ack', 'acknowledge nothing')
    .addOption(new Option('--raw', 'print payloads alone, to the byte: no line ends').conflicts(['json', 'headers']))
    .option('--headers', 'print headers too (JSON always has them)')
    .addHelpText('after', AFTER_NEXT);
  run(withJson(command), async () => (await import('./next.js')).next);
}

function ofStream(command: Command): Command {
  return command.argument('<stream>', 'name of the stream', parseName);
}

function named(command: Command): Command {
  return ofStream(command).argument('<consumer>', 'name of the consumer', parseName);
}
