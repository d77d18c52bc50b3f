import { styleText } from 'node:util';
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../broker/version.js';
import { addCheck } from './check/checkCommand.js';
import { addConsumer } from './consumer/consumerCommand.js';
import { endOf } from './end.js';
import { EXIT } from './exit.js';
import { addLog } from './log/logCommand.js';
import { addPub } from './pubCommand.js';
import { addReply } from './replyCommand.js';
import { addRequest } from './requestCommand.js';
import { addRtt } from './rttCommand.js';
import { addServe } from './serveCommand.js';
import { spelledOut } from './serveFlags.js';
import { addStream } from './stream/streamCommand.js';
import { addSub } from './subCommand.js';
import { addTop } from './top/topCommand.js';

/**
 * Runs one command line, without the program's name in it.
 *
 * @returns the code to end the process with; whatever is to be said has been said
 */
export async function runCli(args: readonly string[]): Promise<number> {
  return await endOf(async () => {
    try {
      await buildProgram().parseAsync(spelledOut(args), { from: 'user' });
      return Number(process.exitCode ?? EXIT.ok);
    } catch (error) {
      if (error instanceof CommanderError) return isAskedFor(error) ? EXIT.ok : usageCode(error);
      throw error;
    }
  });
}

function buildProgram(): Command {
  const program = new Command('shardcast')
    .description('A message broker for one many-core machine that speaks the NATS protocol')
    .version(packageVersion(), '--version', 'print the version, as -V does')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureOutput({ outputError: (text, write) => write(`${asOneLine(text)}\n`) })
    .configureHelp({
      styleTitle: (title) => styleText('bold', title, { validateStream: false }),
      styleOptionTerm: (term) => styleText('cyan', term, { validateStream: false }),
    })
    .exitOverride();
  for (const add of [
    addServe,
    addPub,
    addSub,
    addRequest,
    addReply,
    addRtt,
    addStream,
    addConsumer,
    addLog,
    addCheck,
    addTop,
  ])
    add(program);
  return program;
}

/** Help and version end with 0 when they were asked for, not when a command is missing. */
function isAskedFor(error: CommanderError): boolean {
  return error.exitCode === 0;
}

/** A command may have a code of its own for a wrong command line: commander's is 1. */
function usageCode(error: CommanderError): number {
  return error.exitCode === 1 ? EXIT.usage : error.exitCode;
}

function asOneLine(text: string): string {
  return text
    .replace(/^error: /, 'shardcast: ')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
}
