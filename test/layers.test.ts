import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Import, importsOf, readSources, type Sources } from './imports.js';

const core = [
  'base',
  'options',
  'ring',
  'protocol',
  'exchange',
  'log',
  'stream',
  'shard',
  'router',
  'subscriber',
  'gateway',
  'client',
  'monitor',
  'telemetry',
];

/** What each folder of src may import, as in docs/ARCHITECTURE.md. Itself it always may. */
const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  options: ['base'],
  ring: ['base'],
  protocol: ['base'],
  exchange: ['base', 'ring'],
  log: ['base'],
  stream: ['base', 'protocol', 'log'],
  // a shard routes: docs/decisions/0004
  shard: ['base', 'protocol', 'exchange', 'log', 'stream', 'router', 'subscriber'],
  router: ['base', 'options', 'protocol', 'exchange'],
  subscriber: ['base', 'protocol'],
  gateway: ['base', 'options', 'protocol', 'router', 'exchange', 'subscriber'],
  client: ['base', 'options', 'protocol', 'router', 'exchange', 'subscriber'],
  monitor: ['base', 'options', 'protocol'],
  telemetry: ['base', 'protocol'],
  broker: core,
  // `log` reads what brokers have on disk without one
  cli: ['broker', 'options', 'log', 'protocol', 'base'],
};

/** `#atomics` is a file of ring; what shares words between threads without a ring may use it alone. */
const atomicsUsers = ['ring', 'exchange', 'gateway', 'broker'];

/** Modules that only some files may import: folders, or single files that deviate with a reason. */
const restricted: readonly { modules: RegExp; users: readonly string[] }[] = [
  {
    modules: /^(net|tls|http|https|http2|dgram|ws)$/,
    // the acceptor listens and hands the descriptor on: docs/decisions/0002; reading names the type of a client's socket;
    // there is no library for JSON lines; `fetch` leaves out ports
    users: [
      'src/gateway/',
      'src/monitor/',
      'src/broker/acceptor.ts',
      'src/cli/reading.ts',
      'src/cli/lines.ts',
      'src/cli/top/polling.ts',
    ],
  },
  { modules: /^worker_threads$/, users: ['src/exchange/', 'src/ring/', 'src/broker/', 'workers/'] },
  // passwords are compared on a thread of their own: docs/decisions/0026
  { modules: /^piscina$/, users: ['src/broker/'] },
  { modules: /^bcrypt$/, users: ['workers/'] },
  // what exports spans is loaded on its thread, where somebody asks for it: docs/decisions/0101
  { modules: /^@opentelemetry\//, users: ['src/telemetry/'] },
  // a thread that sleeps is woken by a byte in a pipe: docs/decisions/0086
  {
    modules: /^fs(\/promises)?$/,
    users: ['src/log/', 'src/options/', 'src/broker/', 'src/cli/', 'src/ring/atomics.ts'],
  },
];

const workerLinesMax = 30;

/** The layer of a file: its folder below src, or the top folder it is in. */
function layerOf(file: string): string {
  const [top, folder, ...rest] = file.split('/');
  return top === 'src' && rest.length > 0 ? folder! : top!;
}

function complaintAbout({ file, specifier, target }: Import): string | null {
  if (specifier === null) return 'imports what cannot be known';
  const layer = layerOf(file);
  if (specifier.startsWith('#')) {
    const known = specifier === '#atomics' && (atomicsUsers.includes(layer) || layer === 'workers');
    return known ? null : `may not import ${specifier}`;
  }
  if (target === null) {
    const name = specifier.replace(/^node:/, '');
    const rule = restricted.find(({ modules }) => modules.test(name));
    return rule === undefined || rule.users.some((user) => file.startsWith(user))
      ? null
      : `may not import ${specifier}`;
  }
  const to = layerOf(target);
  if (to === layer) return null;
  const allowed = layer === 'workers' ? Object.keys(layers) : (layers[layer] ?? []);
  return allowed.includes(to) ? null : `may not import ${target}`;
}

function complaints(sources: Sources): string[] {
  const found: string[] = [];
  for (const [file, source] of sources) {
    const layer = layerOf(file);
    if (layer !== 'workers' && !(layer in layers)) found.push(`${file} is in no layer`);
    if (layer === 'workers' && source.trimEnd().split('\n').length > workerLinesMax)
      found.push(`${file} has more than ${workerLinesMax} lines`);
    for (const each of importsOf(file, source)) {
      const complaint = complaintAbout(each);
      if (complaint !== null) found.push(`${file} ${complaint}`);
    }
  }
  return found;
}

test('src and workers import what their layer may', () => {
  const sources = readSources(['src', 'workers']);
  expect(sources.size).toBeGreaterThan(50);
  expect(complaints(sources)).toEqual([]);
});

test('docs/ARCHITECTURE.md has every folder of src, with the same layers', () => {
  const table = readFileSync('docs/ARCHITECTURE.md', 'utf8').matchAll(/^\| `src\/(\w+)` \| ([^|]+) \|/gm);
  const documented = [...table].map(([, folder, may]) => [folder!, namesIn(may!)] as const);
  const enforced = Object.entries(layers).map(([folder, may]) => [folder, may === core ? 'all' : may.toSorted()]);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(enforced));
});

function namesIn(may: string): string | string[] {
  if (may === 'all of the above') return 'all';
  // `atomicsUsers` has who uses these
  return may
    .split(', ')
    .filter((name) => name !== 'nothing' && !name.includes(' '))
    .toSorted();
}

test.each([
  ['docs/ARCHITECTURE.md', 100],
  ['docs/GLOSSARY.md', 50],
])('%s names only files that are there', (document, namedMin) => {
  const text = readFileSync(document, 'utf8');
  const files = [...readSources(['src', 'workers', 'test', 'build']).keys()];
  const named = [...text.matchAll(/[\w./-]+\.ts\b/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(namedMin);
  expect(named.filter((name) => !files.some((file) => file === name || file.endsWith(`/${name}`)))).toEqual([]);
});

test('every relative import is of a file that is there', () => {
  const sources = readSources(['src', 'workers']);
  const targets = [...sources].flatMap(([file, source]) => importsOf(file, source)).map(({ target }) => target);
  expect(targets.filter((target) => target !== null && !sources.has(target))).toEqual([]);
});

test.each([
  ['src/shard/a.ts', `import { Gateway } from '../gateway/gateway.js';`],
  ['src/gateway/a.ts', `import type { Shard } from "../shard/shard.js";`],
  ['src/gateway/a.ts', `import {\n  RingProducer,\n} from '../ring/producer.js';`],
  ['src/base/a.ts', `import '../ring/bell.js';`],
  ['src/ring/a.ts', `export { Parser } from '../protocol/parser.js';`],
  ['src/ring/a.ts', `export * from /* quietly */ '../protocol/parser.js';`],
  ['src/protocol/a.ts', `const { Router } = await import('../router/router.js');`],
  ['src/protocol/a.ts', `const ring = await import(\n  // here\n  '../ring/bell.js'\n);`],
  ['src/protocol/a.ts', 'await import(`../ring/bell.js`);'],
  ['src/protocol/a.ts', 'await import(name);'],
  ['src/protocol/a.ts', `await import(\`../\${name}.js\`);`],
  ['src/router/a.ts', `let shard: import('../shard/shard.js').Shard;`],
  ['src/exchange/a.ts', `const require = createRequire(import.meta.url); require('../router/router.js');`],
  ['src/protocol/a.ts', `import { load } from '#atomics';`],
  ['src/shard/a.ts', `import { load } from '#atomics';`],
  ['src/gateway/a.ts', `import { load } from '#other';`],
  ['src/shard/a.ts', `import { Socket } from 'node:net';`],
  ['src/shard/a.ts', `import { Worker } from 'node:worker_threads';`],
  ['src/gateway/a.ts', `import { Worker } from 'worker_threads';`],
  ['src/broker/broker.ts', `import net from 'net';`],
  ['src/router/a.ts', `process.getBuiltinModule('node:tls');`],
  ['src/router/a.ts', `import { readFileSync } from 'node:fs';`],
  ['src/cli/a.ts', `import WebSocket from 'ws';`],
  ['src/gateway/a.ts', `import bcrypt from 'bcrypt';`],
  ['src/gateway/a.ts', `const { Piscina } = await import('piscina');`],
  ['src/cli/a.ts', `import { Gateway } from '../gateway/gateway.js';`],
  ['src/broker/a.ts', `import { helper } from '../../test/helper.js';`],
  ['workers/a.ts', `import { scenario } from '../bench/compare/scenario.js';`],
  ['src/utils/a.ts', 'export const x = 1;'],
  ['workers/a.ts', `${'\n'.repeat(workerLinesMax)}start();\n`],
])('a wrong import is found: %s %j', (file, source) => {
  expect(complaints(new Map([[file, source]]))).toHaveLength(1);
});

test.each([
  ['src/gateway/a.ts', `import { load } from '#atomics';`],
  ['src/shard/a.ts', `import type { Topic } from '../router/topic.js';`],
  ['src/broker/acceptor.ts', `import { createServer } from 'node:net';`],
  ['src/base/a.ts', `const url = new URL('x', import.meta.url); Array.from('abc'); // import of (nothing)`],
])('a right import is not: %s %j', (file, source) => {
  expect(complaints(new Map([[file, source]]))).toEqual([]);
});
