import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BrokerOptions } from './brokerOptions.js';
import { OptionsError } from './optionsError.js';
import type { OptionName } from './optionTable.js';
import { isLoopback } from './optionTexts.js';
import type { OptionWords } from './optionWords.js';

type SizeOption = 'maxPayloadBytes' | 'maxPendingBytes' | 'memoryMaxBytes';

/**
 * Checks what no option can check alone: relations between options, and the file system.
 *
 * @throws OptionsError for the first rule that is broken
 */
export function checkRules(options: BrokerOptions, words: OptionWords): void {
  checkCredentials(options, words);
  checkOpenHost(options, words);
  checkLimits(options, words);
  checkData(options, words);
  if (options.portsFile !== null) checkParent(options.portsFile, words.name('portsFile'));
}

function checkData({ data, journalDir, durable }: BrokerOptions, words: OptionWords): void {
  if (data !== null) checkDirectory(data, words.name('data'));
  else if (durable.length > 0) throw needsData('durable', words);
  if (journalDir === null) return;
  if (data === null) throw needsData('journalDir', words);
  checkDirectory(journalDir, words.name('journalDir'));
}

function needsData(name: OptionName, words: OptionWords): OptionsError {
  return new OptionsError(`${words.name(name)}: needs a directory for streams on disk (${words.name('data')})`);
}

function checkCredentials(options: BrokerOptions, words: OptionWords): void {
  const { user, pass, token, noAuth } = options;
  if (user !== null && pass === null)
    throw new OptionsError(`${words.name('user')}: a user needs a password (pass) too`);
  if (pass !== null && user === null) throw new OptionsError(`${words.name('pass')}: a password needs a user too`);
  if (token !== null && user !== null) {
    throw new OptionsError(
      `${words.name('token')}: cannot have a user and password and a token; give one or the other`,
    );
  }
  checkSystemUser(options, words);
  if (noAuth && (token !== null || user !== null)) {
    const other = token === null ? 'user' : 'token';
    throw new OptionsError(`${words.name('noAuth')}: cannot be combined with credentials (${words.name(other)})`);
  }
}

/** Who may see everybody's connections is told from all others by what these give, too. */
function checkSystemUser({ user, token, sysUser, sysPass }: BrokerOptions, words: OptionWords): void {
  if (sysUser === null && sysPass === null) return;
  if (sysUser === null) throw new OptionsError(`${words.name('sysPass')}: a password needs a user (sysUser) too`);
  if (sysPass === null) throw new OptionsError(`${words.name('sysUser')}: a user needs a password (sysPass) too`);
  if (user === null && token === null)
    throw new OptionsError(`${words.name('sysUser')}: needs credentials of all others, too (user and pass, or token)`);
  if (sysUser === user)
    throw new OptionsError(`${words.name('sysUser')}: must be another one than ${words.name('user')}`);
}

function checkOpenHost(options: BrokerOptions, words: OptionWords): void {
  const isGuarded = options.user !== null || options.token !== null;
  if (isGuarded || options.noAuth) return;
  for (const name of ['host', 'httpHost'] as const) {
    const host = options[name];
    if (host === null || isLoopback(host)) continue;
    throw new OptionsError(
      `${words.name(name)}: ${host} is open to the network without credentials; ` +
        `give a user and password or a token, or allow it with ${words.on('noAuth')}`,
    );
  }
}

function checkLimits(options: BrokerOptions, words: OptionWords): void {
  const atMost = (small: SizeOption, large: SizeOption) => {
    if (options[small] <= options[large]) return;
    throw new OptionsError(`${describe(small, options, words)} must not exceed ${describe(large, options, words)}`);
  };
  atMost('maxPayloadBytes', 'maxPendingBytes');
  atMost('maxPendingBytes', 'memoryMaxBytes');
  if (options.lameDuckGraceMs >= options.lameDuckDurationMs) {
    const grace = describe('lameDuckGraceMs', options, words);
    throw new OptionsError(`${grace} must be shorter than ${describe('lameDuckDurationMs', options, words)}`);
  }
}

/** `--max-payload (2MiB)`, or `maxPayloadBytes (2097152)`: the option as the user knows it, and its value. */
function describe(name: OptionName, options: BrokerOptions, words: OptionWords): string {
  return `${words.name(name)} (${words.value(name, options[name])})`;
}

/** The directory itself, or when it is yet to be made the one it will be made in, must be one we can write to. */
function checkDirectory(path: string, source: string): void {
  const stats = stat(path);
  if (stats === null && stat(path, lstatSync) !== null)
    throw new OptionsError(`${source}: ${path} is a link that leads nowhere`);
  if (stats === null) checkParent(path, source);
  else if (stats.isDirectory()) checkWritable(path, source);
  else throw new OptionsError(`${source}: ${path} is not a directory`);
}

function checkParent(path: string, source: string): void {
  const parent = dirname(path);
  const stats = stat(parent);
  if (!stats?.isDirectory()) {
    const why = stats === null ? 'is not there' : 'is not a directory';
    throw new OptionsError(`${source}: ${path} cannot be made: ${parent} ${why}`);
  }
  checkWritable(parent, source);
}

function checkWritable(path: string, source: string): void {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new OptionsError(`${source}: cannot write to ${path} (${(error as NodeJS.ErrnoException).code})`);
  }
}

function stat(path: string, read: (path: string) => Stats = statSync): Stats | null {
  try {
    return read(path);
  } catch {
    return null;
  }
}
