// Puts the declarations that users reach a second time into dist/required, where they are those of CommonJS: to TypeScript's node16 a
// declaration is a module's or not as the nearest package.json says, and a module's may not be required, though Node does it.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const target = 'dist/required';
const copied = new Set();

function copy(path) {
  if (copied.has(path)) return;
  copied.add(path);
  cpSync(path, join(target, relative('dist/src', path)));
  for (const [, specifier] of readFileSync(path, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g))
    copy(join(dirname(path), `${specifier}.d.ts`));
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'package.json'), '{ "type": "commonjs" }\n');
copy('dist/src/broker/index.d.ts');
