const sizeUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** So many of something, as a sentence says it. */
export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** To four digits: `formatBytes` is for what must be read back exactly. */
export function formatSize(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(sizeUnits.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** step).toPrecision(4))} ${sizeUnits[step]}`;
}
