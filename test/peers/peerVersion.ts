/** Why a test beside nats-server is skipped where that is an older one, as Debian's is. */
export const tooOld = 'this nats-server is older than the one that we speak as: 2.15';

/** Whether a server that says this version is older than 2.15. */
export function isTooOld(version: unknown): boolean {
  const [major, minor] = String(version).split('.').map(Number);
  return (major as number) < 3 && (minor as number) < 15;
}
