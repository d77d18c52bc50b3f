/**
 * FNV-1a over `bytes[start, end)`, 32 bits, from a given starting state.
 *
 * @param seed starting state; `hashSeedStable` where the value must be the same in every process and version
 */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash;
}

/** FNV's own offset basis. */
export const hashSeedStable = 0x811c9dc5 | 0;

/** Spreads a hash over all its bits, so that its low bits alone may be used (the finalizer of MurmurHash3). */
export function mixHash(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
