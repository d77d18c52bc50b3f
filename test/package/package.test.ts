import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oldestNode } from '../../src/base/runtime.js';
import { Consumer, Packed, root } from './packed.js';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  main: string;
  types: string;
  bin: { shardcast: string };
  engines: { node: string };
  scripts: { prepack: string };
  exports: { '.': Record<'import' | 'require', { types: string; default: string }> };
};

const packed = new Packed();
afterAll(() => packed.remove());

describe('what is published', () => {
  const { files } = packed;

  test('is the compiled program, its declarations and the pages, and nothing else', () => {
    for (const path of files)
      expect(path).toMatch(
        /^(dist\/(src|workers|required)\/[\w/.-]+\.(c?js|d\.ts|cjs\.cache|licenses\.txt)|dist\/required\/package\.json|docs\/[\w/-]+\.md|docs\/monitoring\/\w+\.(json|yaml)|(README|CHANGELOG)\.md|LICENSE|package\.json)$/,
      );
    for (const path of [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'docs/API.md',
      'dist/src/threads/shard.cjs',
      'dist/src/threads/shardProgram.cjs',
      'dist/src/threads/shardProgram.cjs.cache',
      'dist/src/cli/quickStart.cjs',
      'dist/src/cli/serveProgram.cjs',
      'dist/src/cli/serveProgram.cjs.cache',
      'dist/src/cli/serveProgram.licenses.txt',
      'dist/src/cli/commandProgram.cjs',
      'dist/src/cli/commandProgram.cjs.cache',
      'dist/src/cli/commandProgram.licenses.txt',
      manifest.bin.shardcast,
    ])
      expect(files).toContain(path);
  });

  test('is ASCII where a start loads it: one character beyond it makes V8 hold all of a file in twice the room', () => {
    const loaded = files.filter((path) => /^dist\/src\/(threads\/|cli\/(main\.js|\w+\.cjs)$)/.test(path));
    expect(loaded.length).toBeGreaterThan(5);
    for (const path of loaded.filter((each) => /js$/.test(each)))
      expect(/[^\x00-\x7f]/.exec(readFileSync(join(root, path), 'latin1')), path).toBe(null);
  });

  test.each([
    ['serveProgram', 'pino'],
    ['commandProgram', '@nats-io/transport-node'],
  ])('has the licence of every package that is in %s', (name, one) => {
    const program = readFileSync(join(root, `dist/src/cli/${name}.cjs`), 'latin1');
    const licenses = readFileSync(join(root, `dist/src/cli/${name}.licenses.txt`), 'utf8').split('\n');
    const packages = new Set(
      [...program.matchAll(/^ *\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)/gm)].map(([, name]) => name!),
    );
    expect(packages).toContain(one);
    for (const each of packages) expect(licenses).toContain(each);
  });

  test('is compiled anew, so that no module is in it whose source is gone', () => {
    expect(manifest.scripts.prepack).toMatch(/^node -e "fs\.rmSync\('dist', \{.*\}\)" && npm run --silent build$/);
  });

  test('says in one way where its entry is, to old resolvers and to new ones', () => {
    const { import: imported, require: required } = manifest.exports['.'];
    expect(imported).toEqual({ types: manifest.types, default: manifest.main });
    expect(required.default).toBe(manifest.main);
    for (const path of [manifest.main, manifest.types, required.types]) expect(files).toContain(path.slice(2));
    expect(manifest.engines.node).toBe(`>=${oldestNode}`);
  });

  test('has declarations that need nothing but Node: those that users reach name no other package', () => {
    const reached = new Set<string>();
    const reach = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const [, specifier] of readFileSync(path, 'utf8').matchAll(/from '([^']+)'|import\("([^"]+)"\)/g)) {
        if (specifier!.startsWith('.')) reach(join(path, '..', specifier!.replace(/\.js$/, '.d.ts')));
        else expect(specifier, path).toMatch(/^node:/);
      }
    };
    reach(join(root, manifest.types));
    for (const path of reached)
      expect(path.slice(root.length)).toMatch(/^dist\/src\/(base|broker|client|options|gateway\/census)/);
    expect(reached.size).toBeGreaterThan(10);
  });
});

/** The oldest compiler that is to do, in this process: it need not be loaded again for each resolution. */
const oldest = createRequire(join(root, 'test/package/consumer/package.json'))('typescript');

/** What the oldest compiler says of all files of the folder: Node's declarations and its own take longest to check, and are not ours. */
function oldestSays(folder: string, given: object): { told: string; checked: readonly string[] } {
  const { options, errors } = oldest.convertCompilerOptionsFromJson(given, folder);
  const host = { ...oldest.createCompilerHost(options), getCurrentDirectory: () => folder };
  const program = oldest.createProgram([join(folder, 'program.ts')], options, host);
  const told = [...errors, ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  const checked: string[] = [];
  for (const file of program.getSourceFiles()) {
    if (!file.fileName.startsWith(`${folder}${sep}`)) continue;
    checked.push(file.fileName);
    told.push(...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file));
  }
  return { told: oldest.formatDiagnostics(told, host), checked };
}

describe('a program that uses the package', () => {
  let consumer: Consumer;
  beforeAll(() => {
    consumer = new Consumer(packed);
  });
  afterAll(() => consumer.remove());

  const current = join(root, 'node_modules/typescript/bin/tsc');
  const resolutions: readonly [version: string, module: string, resolution: string, type: string][] = [
    ['TypeScript 5.2', 'commonjs', 'node10', 'module'],
    ['TypeScript 5.2', 'node16', 'node16', 'module'],
    ['TypeScript 5.2', 'node16', 'node16', 'commonjs'],
    ['TypeScript 5.2', 'es2022', 'bundler', 'module'],
    // there is no node10 any more
    ['TypeScript today', 'node16', 'node16', 'commonjs'],
    ['TypeScript today', 'nodenext', 'nodenext', 'module'],
    ['TypeScript today', 'es2022', 'bundler', 'module'],
  ];

  test.each(resolutions)(
    '%s, module %s, resolution %s, in a package of type %s: compiles without skipLibCheck',
    (version, module, resolution, type) => {
      const compilerOptions = {
        target: 'es2022',
        lib: ['es2020'],
        types: ['node'],
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        exactOptionalPropertyTypes: true,
        module,
        moduleResolution: resolution,
      };
      writeFileSync(join(consumer.folder, 'package.json'), JSON.stringify({ type }));
      if (version === 'TypeScript 5.2') {
        expect(oldest.version).toMatch(/^5\.2\./);
        const { told, checked } = oldestSays(consumer.folder, compilerOptions);
        expect(told).toBe('');
        expect(checked.length).toBeGreaterThan(10);
        return;
      }
      writeFileSync(join(consumer.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
      const { code, stdout } = consumer.run(current, '-p', '.');
      const ours = stdout.split('\n').filter((line) => !line.startsWith(' '));
      expect(ours.join('\n')).toBe('');
      expect(code).toBe(0);
    },
  );

  test('runs', () => {
    const compiled = consumer.run(
      current,
      'program.ts',
      '--ignoreConfig',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
    );
    expect(compiled.stdout).toBe('');
    const { code, stdout, stderr } = consumer.run('program.js');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ here: 2, there: 2, shards: 1, nats: 0 });
    expect(code).toBe(0);
  });

  test('may be no module: require gives the same', () => {
    const { stdout, stderr } = consumer.run(
      '-e',
      "console.log(Object.keys(require('shardcast')).includes('startBroker'))",
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('true\n');
  });
});

describe('a broker that no network client reaches', () => {
  test('needs no native module, in none of its threads', () => {
    const consumer = new Consumer(packed, ['koffi', 'bcrypt']);
    const program = `
      import { startBroker } from 'shardcast';
      const broker = await startBroker({ shards: 2, listen: false, user: 'a', pass: '$2b$10$${'a'.repeat(53)}' });
      const stream = broker.topic('t').subscribe();
      await broker.topic('t').publish(7);
      console.log((await stream.next()).value.value);
      await broker.stop();
      const error = await startBroker({ shards: 1, port: 0 }).catch((reason) => reason);
      console.log(error.code, /koffi/.test(error.message));`;
    try {
      const { stdout, stderr } = consumer.run('--input-type=module', '-e', program);
      expect(stderr).toBe('');
      expect(stdout).toBe('7\nFAILED true\n');
    } finally {
      consumer.remove();
    }
  });
});
