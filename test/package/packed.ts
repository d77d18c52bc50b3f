import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program of node to its end. */
export function node(args: readonly string[], cwd = root, env: NodeJS.ProcessEnv = process.env) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

function npm(args: readonly string[], cwd = root): string {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** What is built, as it would be published. */
export class Packed {
  readonly #folder = mkdtempSync(join(tmpdir(), 'shardcast-packed-'));
  readonly files: readonly string[];
  readonly tarball: string;

  constructor() {
    const told = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', this.#folder]);
    const [{ files, filename }] = JSON.parse(told) as [{ files: { path: string }[]; filename: string }];
    this.files = files.map(({ path }) => path).sort();
    this.tarball = join(this.#folder, filename);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A user's folder, with the packed package and what it depends on. */
export class Consumer {
  readonly folder = mkdtempSync(join(tmpdir(), 'shardcast-consumer-'));

  /** @param without packages that are not installed */
  constructor({ tarball }: Packed, without: readonly string[] = []) {
    const modules = join(this.folder, 'node_modules');
    mkdirSync(join(modules, 'shardcast'), { recursive: true });
    spawnSync('tar', ['-xzf', tarball, '-C', join(modules, 'shardcast'), '--strip-components=1']);
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name.startsWith('.') || name === 'shardcast' || without.includes(name)) continue;
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
    cpSync(join(root, 'test/package/consumer/program.ts'), join(this.folder, 'program.ts'));
    cpSync(join(root, 'test/package/consumer/package.json'), join(this.folder, 'package.json'));
  }

  run(...args: readonly string[]) {
    return node(args, this.folder);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
