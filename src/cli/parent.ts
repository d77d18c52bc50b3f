/** How often it is looked whether the parent is still there, in milliseconds. */
const lookMs = 200;

/**
 * Calls back once the process has lost its parent, where npx has started it: that runs a command in a shell, which a
 * signal ends before it is passed on. Nobody could stop the command any more.
 */
export function onLeftByNpx(left: () => void): void {
  if (process.env.npm_command !== 'exec') return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    left();
  }, lookMs).unref();
}
