import { readdirSync, readFileSync } from 'node:fs';

/**
 * What has not come after so many seconds hangs. They are counted one by one, since a machine may be halted for minutes: then all that was
 * late comes before the next one. Together they are shorter than the limit of a hook: it is ours that says what was seen.
 */
const hangSeconds = 120;

/**
 * Waits for what always comes, unless there is a fault: then the error says what was seen. Vitest's own limit says nothing.
 *
 * @param describe tells what is to be known of what hangs
 */
export async function orHang<T>(what: string, describe: () => string, awaited: Promise<T>): Promise<T> {
  let seconds = 0;
  let clock: NodeJS.Timeout | undefined;
  const hung = new Promise<never>((_, reject) => {
    clock = setInterval(() => {
      if (++seconds === hangSeconds) reject(new Error(`${what} hangs:\n${describe()}`));
    }, 1_000);
  });
  try {
    return await Promise.race([awaited, hung]);
  } finally {
    clearInterval(clock);
  }
}

/** What each thread of a process does: its name, its state, the kernel function it waits in, and the CPU it has had. */
export function describeProcess(pid: number): string {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((thread) => describeThread(`/proc/${pid}/task/${thread}`))
      .join('\n');
  } catch (error) {
    return `process ${pid}: ${(error as Error).message}`;
  }
}

function describeThread(folder: string): string {
  const [name, waitsIn, stat] = ['comm', 'wchan', 'stat'].map((file) =>
    readFileSync(`${folder}/${file}`, 'utf8').trim(),
  );
  const fields = (stat as string).slice((stat as string).lastIndexOf(')') + 2).split(' ');
  return `${name} ${fields[0]} ${waitsIn} user ${fields[11]} system ${fields[12]}`;
}
