// Puts what a broker loads at its start into few files, from what tsc has written: reading, resolving and linking 200 modules, in the
// main thread and again in every shard's, takes longer than all else that a start is made of (docs/decisions/0019).
// Packages stay outside: they are loaded when they are needed, and keep their licences.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const common = { bundle: true, platform: 'node', target: 'node20.19', packages: 'external', logLevel: 'warning' };

// Names of chunks hold a hash of what is in them: those of an earlier build would stay for ever.
rmSync('dist/src/chunks', { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ['dist/src/cli/main.js'],
  outdir: 'dist',
  outbase: 'dist',
  allowOverwrite: true,
  format: 'esm',
  // A command loads what it needs. All chunks lie as deep as what is in them did: addresses of other files are relative to it.
  splitting: true,
  chunkNames: 'src/chunks/[name]-[hash]',
});

await build({
  ...common,
  entryPoints: ['dist/workers/shard.js'],
  outfile: 'dist/src/threads/shard.cjs',
  // A thread that loads no ES module starts sooner.
  format: 'cjs',
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
});
