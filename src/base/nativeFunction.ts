import { whenNeeded } from './whenNeeded.js';

const koffi = whenNeeded<typeof import('koffi')>('koffi');

export type NativeFunction = ReturnType<ReturnType<typeof import('koffi')['load']>['func']>;

/** A function of the C library, as its prototype says, that is bound at the first call: what binds it takes long to load. */
export function whenBound(prototype: string): () => NativeFunction {
  let bound: NativeFunction | null = null;
  return () => {
    bound ??= koffi().load(null).func(prototype);
    return bound;
  };
}
