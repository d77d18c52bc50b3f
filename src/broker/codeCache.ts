import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

/** The file in which the build keeps what V8 has made of a program. */
export function codeCacheFile(file: string): string {
  return `${file}.cache`;
}

/**
 * Compiles a CommonJS program that is ASCII alone and loads no module dynamically. What V8 made of the same text before
 * spares it most of that; it refuses what another version of it made, or other flags, and compiles then.
 *
 * @throws what reading the program does
 */
export function compileProgram(file: string, cachedData?: Buffer): Script {
  const text = readFileSync(file, 'latin1');
  return new Script(`(function (exports, require, module, __filename, __dirname) {${text}\n})`, {
    filename: file,
    cachedData,
  });
}

/** Runs a CommonJS program with what the build has kept of it, where that was not left behind. Returns what it exports. */
export function runProgram(file: string): unknown {
  const module = { exports: {} };
  const cache = codeCacheFile(file);
  const program = compileProgram(file, existsSync(cache) ? readFileSync(cache) : undefined).runInThisContext();
  program(module.exports, createRequire(file), module, file, dirname(file));
  return module.exports;
}
