import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Preloaded by a broker (`--import`): as long as the file that HANGING_DISK names is there, what was asked of the files of journals that are synced
 * before anybody is told does not return. It is asked when the file has gone.
 */
const sign = process.env.HANGING_DISK as string;
const lookMs = 10;
const journal = /\/journal\/\d+\/[^/]*\.jnl/;

type Write = typeof fs.write;
const write = fs.write as (...given: unknown[]) => void;

function isHanging(descriptor: number): boolean {
  return fs.existsSync(sign) && journal.test(fs.readlinkSync(`/proc/self/fd/${descriptor}`));
}

function writeLater(...given: [number, ...unknown[]]): void {
  if (isHanging(given[0])) setTimeout(writeLater, lookMs, ...given);
  else write(...given);
}

if (sign !== undefined) {
  const { promisify } = await import('node:util');
  // whoever wants a promise gets what Node's own gives
  Object.defineProperty(writeLater, promisify.custom, {
    value: (...given: [number, ...unknown[]]) =>
      new Promise((resolve, reject) => {
        writeLater(...given, (error: Error | null, bytesWritten: number) => {
          if (error === null) resolve({ bytesWritten });
          else reject(error);
        });
      }),
  });
  fs.write = writeLater as unknown as Write;
  syncBuiltinESMExports();
}
