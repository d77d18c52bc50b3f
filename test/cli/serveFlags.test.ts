import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addServe } from '../../src/cli/serveCommand.js';
import { readPlainFlags, sourcesOf, spelledOut } from '../../src/cli/serveFlags.js';
import type { ConfigSources } from '../../src/options/config.js';
import { OPTION_NAMES, OPTIONS } from '../../src/options/optionTable.js';

/** What commander makes of a command line of `serve`; null where it does not serve. */
async function readByCommander(args: readonly string[]): Promise<ConfigSources | null> {
  let read: ConfigSources | null = null;
  const program = new Command().exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  addServe(program, async (sources, checkOnly) => {
    if (!checkOnly) read = sources;
    return 0;
  });
  for (const command of program.commands)
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  await program.parseAsync(['serve', ...args], { from: 'user' }).catch(() => {});
  process.exitCode = undefined;
  return read;
}

const flags = OPTION_NAMES.flatMap((name) => {
  const { flag, short } = OPTIONS[name];
  return [`--${flag}`, ...(short ? [`-${short}`] : [])];
});
const values = ['1', 'a b', '', 'x=y', '--', '-', '-1', '--port', 'sub'];
const others = ['--port=1', '-p4222', '--nothing', '-t', '--check-config', '--help', '-h', '--version', '--auth'];
const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...flags, '--config', '-c') },
  { weight: 4, arbitrary: fc.constantFrom(...values) },
  { weight: 1, arbitrary: fc.constantFrom(...others) },
);

describe('a plain command line of serve', () => {
  it('is read as commander reads it', async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (args) => {
        const read = readPlainFlags(args);
        if (read === null) return;
        plain++;
        expect(sourcesOf(read)).toEqual(await readByCommander(args));
      }),
      { numRuns: 2_000 },
    );
    expect(plain).toBeGreaterThan(100);
  });

  it.each([
    [[], {}, null],
    [['--port', '0', '-p', '1'], { port: ['1'] }, null],
    [['--no-auth', '-c', 'a.yaml', '--topic', 'a', '--topic', 'b'], { noAuth: ['true'], topics: ['a', 'b'] }, 'a.yaml'],
    [['-D', '-V'], { debug: ['true'], trace: ['true'] }, null],
    [['-DV'], { debug: ['true'], trace: ['true'] }, null],
    [['-VV'], { traceVerbose: ['true'] }, null],
    [['-DVV'], { debug: ['true'], traceVerbose: ['true'] }, null],
  ])('is flags with their values: %j', (args, flags, config) => {
    expect(readPlainFlags(args)).toEqual({ flags, config });
  });

  it.each([
    [['--port']],
    [['--port', '-1']],
    [['--port=1']],
    [['-p1']],
    [['--help']],
    [['-t']],
    [['x']],
    [['--', '--port', '1']],
  ])('is not: %j', (args) => {
    expect(readPlainFlags(args)).toBe(null);
  });
});

it.each([
  [['-V'], ['--version']],
  [
    ['serve', '-V', '-DVV', '-VV'],
    ['serve', '-V', '--debug', '--trace-verbose', '--trace-verbose'],
  ],
  [
    ['pub', 'a', '--', '-VV'],
    ['pub', 'a', '--', '-VV'],
  ],
])('%j is spelled out as %j', (args, spelled) => {
  expect(spelledOut(args)).toEqual(spelled);
});
