const high = 0x1_0000_0000;

/** Writes a non-negative integer below 2^53 as eight bytes. */
export function setWord(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, value / high, true);
}

/** Reads eight bytes; what is 2^53 or more comes back rounded, and is never what was written. */
export function getWord(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * high;
}
