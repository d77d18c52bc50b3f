import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OPTION_NAMES, OPTIONS, type OptionName, optionKind } from '../../src/options/optionTable.js';

/** Defaults that depend on the machine are told in words. */
const DEFAULT_IN_WORDS: { readonly [K in OptionName]?: string } = {
  serverName: '`shardcast-` and the host name',
  subscriptionMemoryBytes: 'a quarter of the heap',
  shards: 'cores - 1, at least 1',
};

function row(name: OptionName): string {
  const { flag, short, kind, help, reloadable, fallback } = OPTIONS[name];
  const value = kind.placeholder === null ? '' : ` ${kind.placeholder.replaceAll('|', '\\|')}`;
  const defaultText = DEFAULT_IN_WORDS[name] ?? optionKind(name).format(fallback());
  return `| \`${short ? `-${short}, ` : ''}--${flag}${value}\` | ${defaultText} | ${reloadable ? 'yes' : ''} | ${help} |`;
}

it('the README has a row for every option, as the table says', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const rows = readme.split('\n').filter((line) => line.startsWith('| `-'));
  expect(rows).toEqual(OPTION_NAMES.map(row));
});
