import { type Command, Option } from 'commander';
import type { ConfigSources } from '../options/config.js';
import { OPTION_NAMES, OPTIONS, type OptionName, optionKind } from '../options/optionTable.js';
import { EXIT } from './exit.js';
import { sourcesOf } from './serveFlags.js';

const AFTER = `
Every option can also be given in the environment, as SHARDCAST_ and its name (SHARDCAST_MAX_PAYLOAD=4MB), and in the
config file, in nats-server's spelling (max_payload: 4MB). A flag wins over the environment, that over the file.
A size is in bytes or has a unit (64KB, 1MiB); a time has a unit (500ms, 2s, 1m30s) or is in seconds.

Signals: SIGTERM, SIGINT and SIGQUIT drain and stop, SIGUSR2 closes connections gently and stops, SIGHUP reads the
options again.

Examples:
  shardcast serve
  shardcast serve --port 0 --ports-file /tmp/shardcast.json
  shardcast serve --host 0.0.0.0 --user alice --pass secret --shards 8
  shardcast serve --config shardcast.yaml --check-config
`;

/** Serves, or checks the options only; resolves with the code to end with. */
export type Serve = (sources: ConfigSources, checkOnly: boolean) => Promise<number>;

/** Only now: the other commands need none of the broker's modules. */
const loadAndServe: Serve = async (sources, checkOnly) => {
  const { checkConfig, serveUntilEnded } = await import('./serve.js');
  if (!checkOnly) return await serveUntilEnded(sources);
  checkConfig(sources);
  return EXIT.ok;
};

/** Adds `serve`, whose flags all come from the table of options. */
export function addServe(program: Command, run: Serve = loadAndServe): void {
  const command = program
    .command('serve')
    .description('start a broker')
    .option('-c, --config <FILE>', 'read options from FILE, JSON or YAML')
    .option('-t, --check-config', 'check the options and end')
    .addHelpText('after', AFTER);
  for (const name of OPTION_NAMES) command.addOption(optionFlag(name));
  command.action(async (_given, serve: Command) => {
    process.exitCode = await run(configSources(serve), serve.opts().checkConfig === true);
  });
}

function optionFlag(name: OptionName): Option {
  const { flag, short, help, group, kind } = OPTIONS[name];
  const value = kind.placeholder === null ? '' : ` <${kind.placeholder}>`;
  const option = new Option(`${short ? `-${short}, ` : ''}--${flag}${value}`, help + defaultNote(name));
  option.helpGroup(`${group}:`);
  if (kind.placeholder !== null) {
    option.argParser((text: string, earlier: readonly string[] = []) => (kind.many ? [...earlier, text] : [text]));
  }
  return option;
}

/** Defaults that say more than the help text does. */
function defaultNote(name: OptionName): string {
  const kind = optionKind(name);
  const fallback = OPTIONS[name].fallback();
  if (kind.placeholder === null || fallback === null || kind.many || fallback === 0) return '';
  return ` (default: ${kind.format(fallback)})`;
}

/** Only what was given: commander makes up a default for `--no-auth`, as it begins with "no". */
function configSources(serve: Command): ConfigSources {
  const flags: { [K in OptionName]?: readonly string[] } = {};
  for (const option of serve.options) {
    const name = OPTION_NAMES.find((known) => `--${OPTIONS[known].flag}` === option.long);
    if (!name || serve.getOptionValueSource(option.attributeName()) !== 'cli') continue;
    flags[name] = OPTIONS[name].kind.placeholder === null ? ['true'] : serve.getOptionValue(option.attributeName());
  }
  return sourcesOf({ flags, config: serve.opts().config ?? null });
}
