import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/** A package that is loaded at the first call, not with the file that names it: for those that take long and that most runs need late or never. */
export function whenNeeded<Module>(name: string): () => Module {
  let module: Module | undefined;
  return () => {
    module ??= load(name) as Module;
    return module;
  };
}
