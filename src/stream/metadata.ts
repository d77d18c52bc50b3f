/** Keys of metadata that the server sets. */
const requiredLevelKey = '_nats.req.level';
const ownPrefix = '_nats.';
const ownKeys: readonly string[] = [requiredLevelKey, '_nats.ver', '_nats.level'];

/** What is kept of a client's metadata: its own keys, and the level of the API that whoever uses this needs. */
export function storedMetadata(given: ReadonlyMap<string, string>, level: number): Map<string, string> {
  const kept = [...given].filter(([key]) => !ownKeys.includes(key));
  return new Map([...kept, [requiredLevelKey, `${level}`]]);
}

/** What a client says in metadata, in the order of the keys. */
export function ownMetadata(metadata: ReadonlyMap<string, string>): [string, string][] {
  return [...metadata].filter(([key]) => !key.startsWith(ownPrefix)).sort();
}

/** The server's version and level of the API, which answers add to metadata. */
export interface ServerLevel {
  readonly version: string;
  readonly level: number;
}

/** Metadata as answers show it. @param server null where only what is stored is shown */
export function serverMetadata(
  metadata: ReadonlyMap<string, string>,
  server: ServerLevel | null,
): ReadonlyMap<string, string> {
  const dynamic: [string, string][] =
    server === null
      ? []
      : [
          ['_nats.ver', server.version],
          ['_nats.level', `${server.level}`],
        ];
  return new Map([...metadata, ...dynamic].sort(([a], [b]) => (a < b ? -1 : 1)));
}
