// Imports nothing, and has no syntax beyond that of Node 12: it must be able to say so wherever it is run.

/** The oldest Node that will do, as in package.json. */
export const oldestNode = '20.19';

/** What `process.versions` says. */
export interface RuntimeVersions {
  readonly node?: string | undefined;
  readonly bun?: string | undefined;
  readonly deno?: string | undefined;
}

/** Why Shardcast cannot run here, in one line; null when it can. */
export function whyUnsupported(versions: RuntimeVersions, platform: string): string | null {
  const needed = `Shardcast needs Node ${oldestNode} or later, on Linux or macOS`;
  if (versions.bun !== undefined) return `${needed}; this is Bun ${versions.bun}`;
  if (versions.deno !== undefined) return `${needed}; this is Deno ${versions.deno}`;
  if (versions.node === undefined) return needed;
  if (isOlder(versions.node, oldestNode)) return `${needed}; this is Node ${versions.node}`;
  if (platform === 'win32') return `${needed}; on Windows it runs in WSL 2`;
  return null;
}

function isOlder(version: string, than: string): boolean {
  const parts = version.split('.').map(Number);
  const least = than.split('.').map(Number);
  return parts[0] !== least[0] ? parts[0] < least[0] : parts[1] < least[1];
}
