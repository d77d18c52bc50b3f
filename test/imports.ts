import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** One import of one file. `specifier` is null where it cannot be known without running the program. */
export interface Import {
  readonly file: string;
  readonly specifier: string | null;
  /** The imported file from the repository's root, or null when the import leaves the repository. */
  readonly target: string | null;
}

/** Source by path from the repository's root. */
export type Sources = ReadonlyMap<string, string>;

const root = new URL('../', import.meta.url).pathname;

export function readSources(folders: readonly string[]): Map<string, string> {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.ts')) continue;
      const path = posix.join(folder, entry);
      sources.set(path, readFileSync(join(root, path), 'utf8'));
    }
  }
  return sources;
}

/** What may stand between an import's words. */
const gap = String.raw`(?:\s|/\*[^]*?\*/|//[^\n]*\n)*`;
/** `import … from 'x'`, `import type`, `export … from 'x'`, `import 'x'`. */
const staticForm = new RegExp(String.raw`\b(?:from|import)${gap}(['"])(.*?)\1`, 'g');
/** `import('x')` as a value or as a type, `require('x')`, and Node's back door. */
const callForm = new RegExp(
  String.raw`\b(?:import|require|getBuiltinModule)${gap}\(${gap}(?:(['"\x60])([^'"\x60$]*)\1)?`,
  'g',
);

/**
 * Every import of a file, found by its words alone: rather one too many, in a comment or a text, than one missed by a
 * parser that knows less than the compiler.
 */
export function importsOf(file: string, source: string): Import[] {
  const found: Import[] = [];
  for (const form of [staticForm, callForm]) {
    for (const match of source.matchAll(form)) {
      const specifier = match[2] ?? null;
      const relative = specifier?.startsWith('.') ?? false;
      const target = relative ? posix.join(posix.dirname(file), specifier!).replace(/\.js$/, '.ts') : null;
      found.push({ file, specifier, target });
    }
  }
  return found;
}
