// Puts what a broker loads at its start into few files, from what tsc has written: reading, resolving and linking 200 modules, in the
// main thread and again in every shard's, takes longer than all else that a start is made of (docs/decisions/0019).
// Packages stay outside: they are loaded when they are needed, and keep their licences.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from 'esbuild';
import { codeCacheFile, compileProgram } from '../dist/src/broker/codeCache.js';

const shardProgram = 'dist/src/threads/shardProgram.cjs';

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
  write: false,
};

/** One character beyond ASCII, in a comment too, makes V8 hold and read all of a file in twice the room: they are written as escapes. */
async function bundle(options) {
  const { outputFiles } = await build({ ...common, ...options });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      text.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    );
  }
}

// Names of chunks hold a hash of what is in them: those of an earlier build would stay for ever.
rmSync('dist/src/chunks', { recursive: true, force: true });
await bundle({
  entryPoints: ['dist/src/cli/main.js'],
  outdir: 'dist',
  outbase: 'dist',
  allowOverwrite: true,
  format: 'esm',
  // A command loads what it needs. All chunks lie as deep as what is in them did: addresses of other files are relative to it.
  splitting: true,
  chunkNames: 'src/chunks/[name]-[hash]',
});

const script = {
  // A thread that loads no ES module starts sooner.
  format: 'cjs',
  define: { 'import.meta.url': 'moduleUrl' },
  // What is run from text has no loader of modules of its own.
  supported: { 'dynamic-import': false },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};
await bundle({ ...script, entryPoints: ['dist/workers/shardStart.js'], outfile: 'dist/src/threads/shard.cjs' });
await bundle({ ...script, entryPoints: ['dist/workers/shard.js'], outfile: shardProgram });
// Most of what a thread's start would take is to compile that.
writeFileSync(codeCacheFile(shardProgram), compileProgram(shardProgram).createCachedData());
