// Puts what a broker loads at its start into few files, from what tsc has written: reading, resolving and linking 200 modules, in the
// main thread and again in every shard's, takes longer than all else that a start is made of (docs/decisions/0019).
// Packages stay outside and are loaded when they are needed, but for the one that every start needs.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { keepCode } from './keepCode.mjs';

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
  const { outputFiles, metafile } = await build({ ...common, ...options });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    // what an earlier build has kept of it
    rmSync(`${path}.cache`, { force: true });
    writeFileSync(
      path,
      text.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    );
  }
  return metafile;
}

await bundle({
  entryPoints: ['dist/src/cli/main.js'],
  outdir: 'dist',
  outbase: 'dist',
  allowOverwrite: true,
  format: 'esm',
});

const script = {
  // A thread that loads no ES module starts sooner.
  format: 'cjs',
  define: { 'import.meta.url': 'moduleUrl' },
  // What is run from text has no loader of modules of its own.
  supported: { 'dynamic-import': false },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};
for (const [entry, outfile] of [
  ['dist/workers/shardStart.js', 'dist/src/threads/shard.cjs'],
  ['dist/src/cli/quickStart.js', 'dist/src/cli/quickStart.cjs'],
  ['dist/workers/shard.js', 'dist/src/threads/shardProgram.cjs'],
])
  await bundle({ ...script, entryPoints: [entry], outfile });

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/** A program that the command line runs, with packages that it needs each time, which take long to find, read and compile as the files that they are. */
async function bundleProgram(name, packages, plugins = []) {
  const { inputs } = await bundle({
    ...script,
    packages: 'bundle',
    external: Object.keys(dependencies).filter((each) => !packages.includes(each)),
    metafile: true,
    plugins,
    entryPoints: [`dist/src/cli/${name}.js`],
    outfile: `dist/src/cli/${name}.cjs`,
  });
  writeFileSync(`dist/src/cli/${name}.licenses.txt`, licensesOf(name, Object.keys(inputs)));
}

/** What logs is loaded when there is something to log, as every start does behind its ports. */
const bundled = 'pino';
await bundleProgram(
  'serveProgram',
  [bundled],
  [
    {
      name: 'what is loaded when it is needed lies in the same file',
      setup: ({ onLoad }) =>
        onLoad({ filter: /\/dist\/src\/broker\/log\.js$/ }, ({ path }) => {
          const text = readFileSync(path, 'utf8');
          const contents = text.replace(`whenNeeded('${bundled}')`, `() => require('${bundled}')`);
          if (contents === text) throw new Error(`${path} does not load ${bundled} any more`);
          return { contents };
        }),
    },
  ],
);
await bundleProgram('commandProgram', ['commander', '@nats-io/transport-node']);
await keepCode();

// Tests start hundreds of threads of their own: as the 200 modules that each is, it takes three times as long. They stay where they were.
const isThread = (file) => file.endsWith('Thread.js') && readFileSync(file, 'utf8').includes('parentPort');
await bundle({
  entryPoints: readdirSync('dist/test', { recursive: true })
    .map((file) => join('dist/test', file))
    .filter(isThread),
  outdir: 'dist',
  outbase: 'dist',
  allowOverwrite: true,
  format: 'esm',
  alias: { shardcast: './dist/src/broker/index.js' },
});

/** The licences of all packages that files of a program are of. */
function licensesOf(program, files) {
  const packages = new Set(files.map((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? ''));
  packages.delete('');
  const texts = [...packages].sort().map((folder) => {
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    if (file === undefined) throw new Error(`${folder} has no licence`);
    return `${folder.slice('node_modules/'.length)}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
  return `${program}.cjs holds code of these packages.\n\n${texts.join('\n---\n\n')}`;
}
