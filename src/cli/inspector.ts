import inspector from 'node:inspector';

/**
 * Closes Node's inspector where SIGUSR1 has opened it before the process could catch that: it would let every local
 * user in. One that was asked for stays.
 */
export function closeUnaskedInspector(): void {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  if (!/--inspect(-brk|-wait)?(=|\s|$)/.test(flags) && inspector.url() !== undefined) inspector.close();
}
