import { existsSync, readFileSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DiskKind } from './diskLook.js';

/** Magic numbers of file systems, from statfs(2). */
const kinds: ReadonlyMap<number, DiskKind> = new Map([
  ...[0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x00c36400, 0x5346414f, 0x6b414653].map(
    (type) => [type, 'network'] as const,
  ),
  [0x01021994, 'memory'],
  [0x858458f6, 'memory'],
]);

/** What a directory's file system lies on; `local` where the system does not tell. */
export function diskKindNow(directory: string): DiskKind {
  if (process.platform !== 'linux') return 'local';
  // some systems give the number as a signed one
  const kind = kinds.get(statfsSync(directory).type >>> 0);
  return kind ?? (rotates(statSync(directory, { bigint: true }).dev) ? 'rotating' : 'local');
}

/** Of a partition, its disk tells. What a virtual machine says of its disks is not to be relied on: how long they take tells more. */
function rotates(device: bigint): boolean {
  const [major, minor] = [(device >> 8n) & 0xfffn, (device & 0xffn) | ((device >> 12n) & 0xfff00n)];
  try {
    const folder = realpathSync(`/sys/dev/block/${major}:${minor}`);
    return !/virtio|xen|vbd/.test(folder) && isRotational(folder);
  } catch {
    // not there: a file system over several disks, or none
    return false;
  }
}

function isRotational(folder: string): boolean {
  const disk = existsSync(`${folder}/queue`) ? folder : dirname(folder);
  return readFileSync(`${disk}/queue/rotational`, 'utf8').trim() === '1';
}
