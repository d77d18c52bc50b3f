import { type Command, InvalidArgumentError, Option } from 'commander';
import { isStreamName } from '../protocol/streamApi/streamApi.js';
import { addServerOptions, parseSubject, parseTime } from './clientOptions.js';

type Action = (...given: never[]) => Promise<void>;

export function withJson(command: Command): Command {
  return command.addOption(new Option('--json', 'print one JSON object a line'));
}

export function withForce(command: Command): Command {
  return command.option('-f, --force', 'do not ask first');
}

/** Gives a command of JetStream's API what all have, and its work, which is loaded when it is asked for. */
export function run(command: Command, load: () => Promise<Action>): void {
  command.addOption(
    new Option('--timeout <TIME>', 'how long to wait for an answer').argParser(parseTime).default(5000, '5s'),
  );
  addServerOptions(command.addOption(domainOption())).action(async (...given: unknown[]) => {
    // commander puts the command itself behind its options
    await (await load())(...(given.slice(0, -1) as never[]));
  });
}

export function domainOption(): Option {
  return new Option('--domain <NAME>', 'JetStream domain to ask').argParser(parseSubject).helpGroup('Server:');
}

/** The name of a stream or of a consumer. */
export function parseName(text: string): string {
  if (isStreamName(text)) return text;
  throw new InvalidArgumentError('It must be a name without blanks, dots, wildcards and slashes.');
}
